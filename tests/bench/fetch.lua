-- wrk script: manifest and config of one image after the other, as the daemon asks for them. Environment: BENCH_DIGESTS (a file with
-- "<manifest digest> <size> <config digest> [<layer digest>]" lines).
local requests = {}
function init(args)
   local accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, " ..
      "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
   for line in io.lines(os.getenv("BENCH_DIGESTS")) do
      local manifest, config, layer = line:match("^(sha256:%x+) %d+ (sha256:%x+) ?(%S*)")
      if manifest then
         requests[#requests + 1] = wrk.format("GET", "/v2/bench/app/manifests/" .. manifest, {["Accept"] = accept})
         requests[#requests + 1] = wrk.format("GET", "/v2/bench/app/blobs/" .. config)
         if layer ~= "" then
            requests[#requests + 1] = wrk.format("GET", "/v2/bench/app/blobs/" .. layer)
         end
      end
   end
end

local number = 0
function request()
   number = number + 1
   return requests[(number - 1) % #requests + 1]
end
