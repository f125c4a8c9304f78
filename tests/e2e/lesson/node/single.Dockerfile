ARG NODE_BUILD
FROM $NODE_BUILD
WORKDIR /app
COPY . .
RUN mkdir -p node_modules && cp -rL /usr/share/nodejs/typescript node_modules/typescript && tsc --outDir dist server.ts
CMD ["node", "dist/server.js"]
