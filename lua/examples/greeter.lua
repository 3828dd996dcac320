-- greeter.lua: a command of its own, and a value that outlives the show.
-- Use it: scripts = { "commands", "styles", "examples/greeter" }

sakuga.command{
  name = "hello",
  help = "say hello to the show",
  cooldown = 10,
  run = function(ctx)
    local key = "seen:" .. ctx.viewer.platform .. ":" .. ctx.viewer.id
    if #key > 100 then return false end -- a key has at most 100 bytes
    local times = (sakuga.store.get(key) or 0) + 1
    local kept = pcall(sakuga.store.set, key, times) -- refused when 256 viewers are kept already
    if times == 1 or not kept then
      ctx:reply("welcome, " .. ctx.viewer.name .. "! say !anime and what you want to see")
    else
      ctx:reply(("hello again, %s: that is %d times now"):format(ctx.viewer.name, times))
    end
  end,
}
