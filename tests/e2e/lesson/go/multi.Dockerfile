ARG GOLANG
FROM $GOLANG AS build
WORKDIR /src
COPY go.mod main.go ./
RUN CGO_ENABLED=0 go build -trimpath -ldflags=-s -o /hello .

FROM scratch
COPY --from=build /hello /hello
USER 65532:65532
ENTRYPOINT ["/hello"]
