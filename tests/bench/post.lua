-- wrk script: posts one distribution event per request, like docker-registry does.
-- Environment: BENCH_DIGESTS (file with "<digest> <size>" lines; empty: a fresh random digest per event), BENCH_SECRET, BENCH_FRESH.
local digests = {}
local file = os.getenv("BENCH_DIGESTS")
if file and file ~= "" then
   for line in io.lines(file) do
      local digest = line:match("^(sha256:%x+) ")
      if digest then digests[#digests + 1] = digest end
   end
end

local threads = 0
function setup(thread)
   thread:set("id", threads)
   threads = threads + 1
end

local number = 0
function init(args)
   math.randomseed(os.time() * 1000 + id * 77)
   prefix = string.format("%08x%08x", math.random(0, 2 ^ 31 - 1), math.random(0, 2 ^ 31 - 1))
end

function request()
   number = number + 1
   local digest, tag
   if #digests > 0 then
      local i = (number + id * 7919) % #digests + 1
      digest, tag = digests[i], "t" .. (i - 1)
   else
      digest = "sha256:" .. prefix .. string.format("%048x", number)
      tag = "n" .. (number % 1000)
   end
   local body = '{"events":[{"id":"' .. prefix .. number .. '","timestamp":"2026-01-01T00:00:00Z","action":"push","target":{' ..
      '"mediaType":"application/vnd.oci.image.manifest.v1+json","size":500,"digest":"' .. digest ..
      '","length":500,"repository":"bench/app","url":"http://127.0.0.1/v2/bench/app/manifests/' .. digest .. '","tag":"' .. tag ..
      '"},"request":{"id":"r","addr":"127.0.0.1:1","host":"127.0.0.1","method":"PUT","useragent":"bench"},"actor":{},"source":{' ..
      '"addr":"bench:5000","instanceID":"bench"}}]}'
   return wrk.format("POST", nil, {["Content-Type"] = "application/vnd.docker.distribution.events.v1+json",
                                   ["Authorization"] = "Bearer " .. (os.getenv("BENCH_SECRET") or "")}, body)
end
