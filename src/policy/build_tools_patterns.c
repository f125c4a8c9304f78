/* How images of each runtime are built in stages: texts for remedies. Not for judging. */
#include "build_tools.h"

static const char *const patterns[] = {
    [RUNTIME_UNKNOWN] =
        "Build in a stage of its own and copy the result: `FROM debian:stable AS build`, `RUN "
        "apt-get "
        "update && apt-get install -y gcc make && make install DESTDIR=/out`, `FROM "
        "debian:stable-slim`, `COPY --from=build /out /`.",
    [RUNTIME_NODE] =
        "Build in a stage of its own: `FROM node:22 AS build`, `COPY package*.json ./`, `RUN npm "
        "ci`, "
        "`COPY . .`, `RUN npm run build && npm prune --omit=dev`, `FROM node:22-slim`, `COPY "
        "--from=build /app/node_modules ./node_modules`, `COPY --from=build /app/dist ./dist`.",
    [RUNTIME_GO] = "Build in a stage of its own: `FROM golang AS build`, `RUN CGO_ENABLED=0 go "
                   "build -o /app .`, "
                   "`FROM gcr.io/distroless/static:nonroot`, `COPY --from=build /app /app`.",
    [RUNTIME_PYTHON] =
        "Build wheels in a stage of its own: `FROM python:3 AS build`, `RUN pip wheel --wheel-dir "
        "/wheels -r requirements.txt`, `FROM python:3-slim`, `RUN "
        "--mount=from=build,source=/wheels,target=/wheels pip install --no-cache-dir /wheels/*`.",
    [RUNTIME_DOTNET] =
        "Publish in a stage of its own: `FROM mcr.microsoft.com/dotnet/sdk AS build`, `RUN dotnet "
        "publish -c Release -o /out`, `FROM mcr.microsoft.com/dotnet/aspnet`, `COPY --from=build "
        "/out "
        ".`.",
    [RUNTIME_JAVA] =
        "Build in a stage of its own: `FROM maven AS build`, `RUN mvn -B package`, `FROM "
        "eclipse-temurin:21-jre`, `COPY --from=build /src/target/app.jar /app.jar`.",
    [RUNTIME_RUBY] =
        "Install gems in a stage of its own: `FROM ruby:3 AS build`, `RUN bundle config set "
        "without "
        "'development test' && bundle install`, `FROM ruby:3-slim`, `COPY --from=build "
        "/usr/local/bundle /usr/local/bundle`.",
    [RUNTIME_RUST] =
        "Build in a stage of its own: `FROM rust AS build`, `RUN cargo build --release`, `FROM "
        "gcr.io/distroless/cc`, `COPY --from=build /src/target/release/app /app`.",
    [RUNTIME_PHP] = "Build extensions and install packages in a stage of its own: `FROM php:8-fpm "
                    "AS build`, `RUN "
                    "docker-php-ext-install intl`, `FROM php:8-fpm-alpine` (or the same base), "
                    "`COPY --from=build "
                    "/usr/local/lib/php/extensions /usr/local/lib/php/extensions`; or remove what "
                    "was installed "
                    "for it in the same RUN.",
    [RUNTIME_STATIC] = "Build in a stage of its own: `FROM gcc AS build`, `RUN make "
                       "LDFLAGS=-static`, `FROM scratch`, "
                       "`COPY --from=build /src/app /app`.",
};

static const char *const bases[] = {
    [RUNTIME_UNKNOWN] = "a slim or distroless base",
    [RUNTIME_NODE] = "node:22-slim or gcr.io/distroless/nodejs22-debian12",
    [RUNTIME_GO] = "gcr.io/distroless/static",
    [RUNTIME_PYTHON] = "python:3-slim or gcr.io/distroless/python3-debian12",
    [RUNTIME_DOTNET] = "mcr.microsoft.com/dotnet/aspnet or runtime",
    [RUNTIME_JAVA] = "eclipse-temurin:21-jre or gcr.io/distroless/java21-debian12",
    [RUNTIME_RUBY] = "ruby:3-slim",
    [RUNTIME_RUST] = "gcr.io/distroless/cc or debian:stable-slim",
    [RUNTIME_PHP] = "php:8-fpm-alpine",
    [RUNTIME_STATIC] = "scratch or gcr.io/distroless/static",
};

const char *build_tools_pattern(enum runtime runtime)
{
    return patterns[runtime];
}

const char *build_tools_base(enum runtime runtime)
{
    return bases[runtime];
}
