-- wrk script: GET of the manifest of one tag after the other, as a sweep asks for them by HEAD, which wrk cannot. Environment:
-- BENCH_REPOSITORIES, BENCH_TAGS.
local repositories, tags = tonumber(os.getenv("BENCH_REPOSITORIES")), tonumber(os.getenv("BENCH_TAGS"))
local accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, " ..
   "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
local number = 0
function request()
   number = number + 1
   local path = string.format("/v2/bench/r%06d/manifests/t%06d", math.floor(number / tags) % repositories, number % tags)
   return wrk.format("GET", path, {["Accept"] = accept})
end
