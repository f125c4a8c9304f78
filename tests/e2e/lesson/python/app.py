import ctypes
import http.server

speed = ctypes.CDLL("/app/libspeed.so")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"%d\n" % speed.add(40, 2))


http.server.HTTPServer(("", 8080), Handler).serve_forever()
