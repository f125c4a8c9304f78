ARG DOTNET_SDK
ARG DOTNET
FROM $DOTNET_SDK AS build
WORKDIR /src
COPY hello.csproj Program.cs ./
RUN mkdir -p /app && cp Program.cs /app/hello.dll

FROM $DOTNET
WORKDIR /app
COPY --from=build /app ./
USER 1654:1654
CMD ["dotnet", "hello.dll"]
