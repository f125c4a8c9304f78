-- wrk script: posts distribution events, as docker-registry does. Environment: BENCH_SECRET; BENCH_DIGESTS (a file whose lines begin
-- with a digest: these are pushed again, in turn, under the tags t0, t1, …; without it each event has a digest of its own);
-- BENCH_BATCH (events per request, 1).
local digests = {}
local file = os.getenv("BENCH_DIGESTS")
if file and file ~= "" then
   for line in io.lines(file) do
      local digest = line:match("^(sha256:%x+) ")
      if digest then digests[#digests + 1] = digest end
   end
end
local batch = tonumber(os.getenv("BENCH_BATCH") or "1")
local headers = {["Content-Type"] = "application/vnd.docker.distribution.events.v1+json",
                 ["Authorization"] = "Bearer " .. (os.getenv("BENCH_SECRET") or "")}

local number = 0
local prefix = ""
function init(args)
   math.randomseed(os.time())
   prefix = string.format("%08x%08x", math.random(0, 2 ^ 31 - 1), math.random(0, 2 ^ 31 - 1))
end

local function event()
   number = number + 1
   local digest, tag
   if #digests > 0 then
      local i = number % #digests + 1
      digest, tag = digests[i], "t" .. (i - 1)
   else
      digest = "sha256:" .. prefix .. string.format("%048x", number)
      tag = "n" .. (number % 1000)
   end
   return '{"id":"' .. prefix .. number .. '","timestamp":"2026-01-01T00:00:00Z","action":"push","target":{' ..
      '"mediaType":"application/vnd.oci.image.manifest.v1+json","size":500,"digest":"' .. digest ..
      '","length":500,"repository":"bench/app","url":"http://127.0.0.1/v2/bench/app/manifests/' .. digest .. '","tag":"' .. tag ..
      '"},"request":{"id":"r","addr":"127.0.0.1:1","host":"127.0.0.1","method":"PUT","useragent":"bench"},"actor":{},"source":{' ..
      '"addr":"bench:5000","instanceID":"bench"}}'
end

function request()
   local events = {}
   for i = 1, batch do events[i] = event() end
   return wrk.format("POST", nil, headers, '{"events":[' .. table.concat(events, ",") .. "]}")
end
