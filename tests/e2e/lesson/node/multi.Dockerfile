ARG NODE_BUILD
ARG NODE
FROM $NODE_BUILD AS build
WORKDIR /app
COPY package.json server.ts ./
RUN tsc --outDir dist server.ts

FROM $NODE
WORKDIR /app
COPY --from=build /app/dist ./dist
USER 1000:1000
CMD ["node", "dist/server.js"]
