ARG DOTNET_SDK
FROM $DOTNET_SDK
WORKDIR /src
COPY . .
# Stands for `dotnet publish`: the SDK is made of files at its published paths, not of programs.
RUN mkdir -p /app bin/Release/net8.0 obj && cp hello.csproj obj/project.assets.json && cp Program.cs bin/Release/net8.0/hello.dll && \
    cp Program.cs /app/hello.dll
CMD ["dotnet", "/app/hello.dll"]
