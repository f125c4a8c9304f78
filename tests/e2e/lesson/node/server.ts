declare function require(name: string): any;
const http = require("http");

function answer(name: string): string {
    return `hello ${name}\n`;
}

http.createServer((_request: any, response: any) => response.end(answer("world"))).listen(8080);
