ARG GOLANG
FROM $GOLANG
WORKDIR /src
COPY . .
RUN go build -o /usr/local/bin/hello .
CMD ["/usr/local/bin/hello"]
