-- bedtime.lua: closes submissions when the show has accepted enough, and opens them when the queue is short.
-- Use it: scripts = { "commands", "styles", "examples/bedtime" }

local FULL, SHORT = 30, 10
local closed_by_us = false

sakuga.every(5, function()
  local q = sakuga.queue()
  if not q.waiting then return end
  if q.open and q.waiting >= FULL then
    closed_by_us = sakuga.run("close")
    sakuga.log("the queue is long: submissions are closed")
  elseif closed_by_us and not q.open and q.waiting <= SHORT then
    sakuga.run("open")
    closed_by_us = false
  end
end)
