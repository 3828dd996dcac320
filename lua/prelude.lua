-- prelude.lua: what stands between the C host and the scripts.
--
-- It is loaded once for each Lua state, before any script, and is handed `core`, the C functions of
-- src/script/api_*.c. It is trusted: it runs without a budget, and scripts never see `core`. Each script gets
-- an environment of its own: copies of the allow-listed libraries and a table `sakuga`. Handlers run as
-- coroutines on a budget; a call that needs the show suspends the coroutine until the answer comes, so scripts
-- read straight down.
--
-- Comments that begin with `---` are the source of doc/lua-api.md (doc/lua-api.awk prints it).
local core = ...
local AWAIT = {}     -- what a handler yields, and what it must be resumed with
local HANDLERS = 4096 -- coroutines that may wait at once
local TIMERS = 64    -- timers of one script
local HOOKS = 8
local COOLING = 4096 -- requests that are remembered while they cool down

local commands = {}  -- name or alias -> command
local listed = {}    -- commands in the order of their registration
local listeners = {} -- event -> list of { script, fn }
local hooks = {}     -- "submit" -> list of { script, fn }
local timers = {}    -- list of { due, every, script, fn }
local waiting = {}   -- call -> job
local jobs = 0       -- coroutines that wait
local current        -- the job that runs
local cooling = {}   -- key -> when it has cooled down
local cooling_count = 0 -- how many keys it may have

local create, status, yield, running = coroutine.create, coroutine.status, coroutine.yield, coroutine.running
local unpack, error, type, tostring, pairs, ipairs = table.unpack, error, type, tostring, pairs, ipairs

local function copy(t)
  local c = {}
  for k, v in pairs(t) do c[k] = v end
  return c
end

-- Arguments of the wrong type are the caller's mistake: the message names their line.
local function check(value, wanted, what, level)
  if type(value) ~= wanted then
    error(what .. " must be a " .. wanted .. ", not a " .. type(value), (level or 1) + 2)
  end
  return value
end

-- ---- jobs: coroutines of scripts ----

local function finish(job, ok, message, trace)
  if not ok then core.failed(job.script, message, trace) end
  if job.ended then job.ended(ok, message) end
end

local function continue(job, ...)
  local before = current
  current = job
  local result = { core.resume(job.co, ...) }
  current = before
  if not result[1] then
    finish(job, false, result[2], result[3])
  elseif status(job.co) == "dead" then
    finish(job, true, result[2])
  elseif result[2] == AWAIT then
    waiting[result[3]] = job
    jobs = jobs + 1
  else
    local why = job.script .. ": a handler may not yield"
    finish(job, false, why, why)
  end
end

-- Runs fn(...) as a job of a script; ended(ok, value) when it is through.
local function start(script, ended, fn, ...)
  if jobs >= HANDLERS then
    if ended then ended(false, "too many handlers wait") end
    return
  end
  continue({ co = create(fn), script = script, ended = ended }, ...)
end

-- Makes a wish and suspends the handler until its answer has come: ok, id, text, error name.
local function await(wish, ...)
  local job = current
  if not job or running() ~= job.co then
    error("this can only be called in a handler itself, not while loading or in a coroutine of its own", 3)
  end
  local key, ok, id, text, name = yield(AWAIT, wish(...))
  if key ~= AWAIT then error("a handler was resumed by a script", 2) end
  if not ok then job.refused = true end
  return ok, id, text, name
end

-- ---- the line a handler is about ----

local contexts = setmetatable({}, { __mode = "k" }) -- ctx -> ticket, or false when it has ended

local function ticket_of(ctx)
  local t = contexts[ctx]
  if t == nil then error("call it with a colon: ctx:reply(text)", 3) end
  if not t then error("this line was answered already; its context has ended", 3) end
  return t
end

-- What the hooks make of a prompt: nothing, or "hold" | "refuse" with a reason. Fails closed.
local function judge(viewer, text, style)
  local verdict, why
  for _, h in ipairs(hooks.submit or {}) do
    local ok, said, reason = core.guarded(h.fn, { viewer = viewer, text = text, style = style })
    if not ok then
      core.failed(h.script, said, reason)
      said, reason = "hold", "a script failed while it looked at the prompt"
    end
    if said == "refuse" then return "refuse", tostring(reason or "it does not fit the show") end
    if said == "hold" then verdict, why = "hold", tostring(reason or "a script asks to look at it") end
    if said ~= nil and said ~= "hold" and said ~= "pass" then
      verdict, why = "hold", "a script gave an unknown verdict"
    end
  end
  return verdict, why
end

local Context = {}

--- ### ctx:reply(text)
--- Answers the viewer. Several replies are joined. Chat replies keep to a send budget, so be brief.
---
---     ctx:reply("hello, " .. ctx.viewer.name)
function Context.reply(ctx, text)
  core.reply(ticket_of(ctx), check(text, "string", "the reply"))
end

--- ### ctx:submit{ text =, style = } or ctx:submit(text)
--- Submits a prompt for the viewer. Waits until it is stored. Returns `true, id, words`, or `false, reason,
--- name` when it was refused (`name` is "limit", "closed", …). `style` is optional: the viewer's own, else the
--- show's first.
---
---     local ok, id = ctx:submit("a fox on a neon roof")
---     if ok then ctx:reply("#" .. id) else ctx:reply(id) end
function Context.submit(ctx, prompt)
  local ticket = ticket_of(ctx)
  if type(prompt) == "string" then prompt = { text = prompt } end
  check(prompt, "table", "the prompt")
  local text, style = check(prompt.text, "string", "text"), prompt.style
  local verdict, why = judge(copy(ctx.viewer), text, style)
  if verdict == "refuse" then
    current.refused = true
    return false, why, "denied"
  end
  local ok, id, words, name = await(core.submit, ticket, text, style, verdict == "hold", why)
  if ok then return true, id, words end
  return false, words, name
end

local function simple(wish)
  return function(ctx, what)
    local ok, id, words, name = await(wish, ticket_of(ctx), what)
    if ok then return true, words, id end
    return false, words, name
  end
end

--- ### ctx:vote(id)
--- The viewer votes for a prompt that waits. Returns `true, words` or `false, reason, name`.
Context.vote = simple(core.vote)

--- ### ctx:cancel([id])
--- Cancels the viewer's own prompt, without an id the newest. Returns `true, words` or `false, reason, name`.
Context.cancel = simple(core.cancel)

--- ### ctx:style(name)
--- Sets the style of the viewer's next prompts and of the one that waits. Returns `true, words` or `false,
--- reason, name`.
Context.style = simple(core.choose)

--- ### ctx:run(line)
--- Runs a line of the command table (see `sakuga(1)`) with the viewer's rights. What only the operator may do,
--- such as `air`, `resume`, `undo` and `quit`, cannot be called. Returns `true, words` or `false, reason, name`.
function Context.run(ctx, line)
  local ok, id, words, name = await(core.run, ticket_of(ctx), ctx.script, check(line, "string", "the line"))
  if ok then return true, words, id end
  return false, words, name
end

--- ### ctx.viewer
--- Who spoke: `name`, `role` ("viewer", "subscriber", "vip", "moderator", "broadcaster"), `rank` (the same as a
--- number, 0 to 4), `platform`, `id`. A copy: changing it changes nothing.

local context_meta = { __index = Context, __metatable = "context" }

-- ---- what scripts see ----

-- Bounded: what has cooled down is forgotten, and under a flood of different lines everything is.
local function cool(key, seconds)
  local now = core.now()
  if cooling_count >= COOLING then
    cooling_count = 0
    for k, due in pairs(cooling) do
      if due <= now then cooling[k] = nil else cooling_count = cooling_count + 1 end
    end
    if cooling_count > COOLING / 2 then cooling, cooling_count = {}, 0 end
  end
  if not cooling[key] then cooling_count = cooling_count + 1 end
  cooling[key] = now + seconds * 1000
end

local function encode(value)
  local t = type(value)
  if t == "string" then return "s" .. value end
  if t == "number" then return "n" .. string.format(math.type(value) == "integer" and "%d" or "%.17g", value) end
  if t == "boolean" then return "b" .. tostring(value) end
  error("a stored value is a string, a number or a boolean, not a " .. t, 3)
end

local function decode(text)
  if not text then return nil end
  local tag, rest = text:sub(1, 1), text:sub(2)
  if tag == "n" then return tonumber(rest) end
  if tag == "b" then return rest == "true" end
  return rest
end

local known = { name = "string", help = "string", args = "string", role = "string", cooldown = "number",
  aliases = "table", run = "function" }
local ranks = { viewer = 0, subscriber = 1, vip = 2, moderator = 3, broadcaster = 4 }

local function add_command(script, c)
  check(c, "table", "the command", 2)
  for key in pairs(c) do
    if not known[key] then error("a command has no key " .. tostring(key), 3) end
  end
  for key, wanted in pairs(known) do
    if c[key] ~= nil then check(c[key], wanted, key, 2) end
  end
  check(c.name, "string", "name", 2)
  check(c.run, "function", "run", 2)
  if not ranks[c.role or "viewer"] then error("there is no role " .. c.role, 3) end
  local row = { name = c.name, help = c.help or "", args = c.args or "", rank = ranks[c.role or "viewer"],
    cooldown = c.cooldown or 0, aliases = {}, run = c.run, script = script }
  local names = { c.name }
  for _, alias in ipairs(c.aliases or {}) do
    names[#names + 1] = check(alias, "string", "an alias", 2)
    row.aliases[#row.aliases + 1] = alias
  end
  for _, name in ipairs(names) do
    if not name:find("^[%w_-]+$") or #name > 30 or name ~= name:lower() then
      error("a command's name is up to 30 lower-case letters, digits, - and _, not " .. name, 3)
    end
    if commands[name] then
      error("!" .. name .. " is registered already, by " .. commands[name].script, 3)
    end
  end
  for _, name in ipairs(names) do commands[name] = row end
  listed[#listed + 1] = row
end

local function library(script)
  local sakuga = {}

  --- ### sakuga.command{ name =, run =, … }
  --- Registers a chat command. `run(ctx, args)` is called with the context of the line and the words behind the
  --- name as one string. `args` and `help` are shown by `!help`; `role` is the least role that may call it
  --- ("viewer"); `cooldown` is in seconds, for one viewer asking the same again, and is not spent by a refused
  --- request or when `run` returns false; `aliases` is a list of other names.
  ---
  ---     sakuga.command{ name = "hello", help = "say hello", run = function(ctx, args)
  ---       ctx:reply("hello, " .. ctx.viewer.name)
  ---     end }
  function sakuga.command(c) add_command(script, c) end

  --- ### sakuga.commands()
  --- All registered commands in order: a list of `{ name, args, help, aliases, role }` (`role` as a rank).
  function sakuga.commands()
    local all = {}
    for i, row in ipairs(listed) do
      all[i] = { name = row.name, args = row.args, help = row.help, aliases = copy(row.aliases), role = row.rank }
    end
    return all
  end

  --- ### sakuga.style{ name =, about =, template =, … }
  --- Registers a style, while the script is loaded. `template` says where `{prompt}` stands; `negative` is the
  --- negative prompt; `width` and `height` are multiples of 16; `steps`; `palette` is a list of up to six
  --- colours, "#rrggbb" or 0xRRGGBB, from the darkest to the accent; `lora = { alias =, weight = }`. Who
  --- chooses none, or "default", leaves it to the engine.
  sakuga.style = core.style

  --- ### sakuga.styles()
  --- All styles: a list of `{ name, about }`.
  sakuga.styles = core.styles

  --- ### sakuga.on(event, fn)
  --- Calls `fn(event)` when something happens: "prompt" and "edited" (`id`, `from`, `to`, `viewer`, `text`,
  --- `style`, `by`), "line" (any line that is no command: `text`, `viewer`), "open", "paused", "panic", "obs",
  --- "chat", "engine", "store", "disk", "styles". Under a flood lines and events may be left out.
  ---
  ---     sakuga.on("prompt", function(e) if e.to == "aired" then sakuga.log(e.text) end end)
  function sakuga.on(event, fn)
    check(event, "string", "the event")
    check(fn, "function", "the handler")
    if not core.wants(event) then error("there is no event " .. event, 2) end
    listeners[event] = listeners[event] or {}
    table.insert(listeners[event], { script = script, fn = fn })
  end

  --- ### sakuga.hook("submit", fn)
  --- Calls `fn(prompt)` with `{ viewer, text, style }` before a prompt is submitted. It returns nothing to let it
  --- pass, `"hold", reason` to hold it for the operator, or `"refuse", reason`. It must answer at once; a hook
  --- that fails holds the prompt.
  function sakuga.hook(name, fn)
    if name ~= "submit" then error("there is no hook " .. tostring(name), 2) end
    check(fn, "function", "the hook")
    hooks.submit = hooks.submit or {}
    if #hooks.submit >= HOOKS then error("at most " .. HOOKS .. " hooks are possible", 2) end
    table.insert(hooks.submit, { script = script, fn = fn })
  end

  local function timer(seconds, every, fn)
    check(seconds, "number", "seconds", 2)
    check(fn, "function", "the handler", 2)
    if not (seconds >= 0.05 and seconds < 1e7) then error("seconds must be between 0.05 and 10,000,000", 3) end
    local mine = 0
    for _, t in ipairs(timers) do if t.script == script then mine = mine + 1 end end
    if mine >= TIMERS then error("a script may have " .. TIMERS .. " timers", 3) end
    local ms = math.floor(seconds * 1000)
    local t = { due = core.now() + ms, every = every and ms or nil, script = script, fn = fn }
    table.insert(timers, t)
    return { cancel = function() t.fn = nil end }
  end

  --- ### sakuga.every(seconds, fn), sakuga.after(seconds, fn)
  --- Calls `fn()` again and again, or once. Returns a table with `cancel()`. A reload ends all timers.
  function sakuga.every(seconds, fn) return timer(seconds, true, fn) end
  function sakuga.after(seconds, fn) return timer(seconds, false, fn) end

  --- ### sakuga.run(line)
  --- Runs a line of the command table with a moderator's rights, outside of a viewer's line: in timers and
  --- events. Returns `true, words` or `false, reason, name`.
  function sakuga.run(line)
    local ok, id, words, name = await(core.run, 0, script, check(line, "string", "the line"))
    if ok then return true, words, id end
    return false, words, name
  end

  --- ### sakuga.store.get(key), sakuga.store.set(key, value), sakuga.store.keys()
  --- Small values that outlive the show: strings, numbers, booleans; nil removes one. Each script has its own:
  --- 256 keys of 100 bytes, 8 KB a value, 256 KB in all.
  ---
  ---     sakuga.store.set("shows", (sakuga.store.get("shows") or 0) + 1)
  sakuga.store = {
    get = function(key) return decode(core.value(script, check(key, "string", "the key"))) end,
    set = function(key, value)
      core.set_value(script, check(key, "string", "the key"), value == nil and "" or encode(value))
    end,
    keys = function()
      local all, key = {}, core.next_value(script, "")
      while key do
        all[#all + 1] = key
        key = core.next_value(script, key)
      end
      return all
    end,
  }

  --- ### sakuga.prompts([viewer])
  --- The prompts that have not ended, in the order in which they will be drawn; of one viewer when `ctx.viewer` is
  --- given. Each has `id`, `state`, `viewer`, `text`, `style`, `votes`, and where known `position`, `eta_low` and
  --- `eta_high` (seconds until it is on air).
  function sakuga.prompts(viewer)
    if viewer == nil then return core.prompts() end
    check(viewer, "table", "the viewer")
    return core.prompts(viewer.platform, viewer.id)
  end

  --- ### sakuga.prompt(id)
  --- One of them, or nil.
  sakuga.prompt = core.prompt

  --- ### sakuga.queue()
  --- The queue in short: `waiting`, `drawing` and `progress`, `next`, `open`, `paused`, `panic`, and for a prompt
  --- that would come now `eta_low` and `eta_high`.
  sakuga.queue = core.queue

  --- ### sakuga.counters()
  --- How many prompts are `held`, `approved`, `generating`, `review`, `cleared`, `airing`, and since the start of
  --- the show `accepted`, `aired`, `refused`.
  sakuga.counters = core.counters

  --- ### sakuga.log(text, [level])
  --- Writes a line into the log; `level` is "error", "warn", "info" or "debug". `print(…)` does the same.
  function sakuga.log(text, level) core.log(level or "info", script, tostring(text)) end

  --- ### sakuga.script
  --- The name of the script, and of its stored values.
  sakuga.script = script
  return sakuga
end

local function environment(script)
  local env = {}
  for name, value in pairs(_G) do
    if name ~= "_G" then env[name] = type(value) == "table" and copy(value) or value end
  end
  env._G = env
  env.sakuga = library(script)
  function env.print(...)
    local words = { ... }
    for i = 1, select("#", ...) do words[i] = tostring(words[i]) end
    env.sakuga.log(table.concat(words, " "))
  end
  return env
end

-- ---- what the host calls ----

local host = {}

-- Takes back what a script registered before it failed.
local function forget(script, before)
  for name, row in pairs(commands) do if row.script == script then commands[name] = nil end end
  for i = #listed, before + 1, -1 do listed[i] = nil end
  for _, list in pairs(listeners) do
    for i = #list, 1, -1 do if list[i].script == script then table.remove(list, i) end end
  end
  for _, list in pairs(hooks) do
    for i = #list, 1, -1 do if list[i].script == script then table.remove(list, i) end end
  end
  for _, t in ipairs(timers) do if t.script == script then t.fn = nil end end
end

local scripts = {}

function host.load(path, name)
  if scripts[name] then
    local why = "there are two scripts of the name " .. name
    core.failed(name, why, why)
    return false, why
  end
  scripts[name] = true
  local before = #listed
  local chunk, why = core.read(path, name, environment(name))
  local ok, message, trace = false, why, why
  if chunk then ok, message, trace = core.guarded(chunk) end
  if ok then return true end
  forget(name, before)
  core.failed(name, message, trace)
  return false, message
end

local function run_command(row, ticket, args, viewer, cooling_key)
  local ctx = setmetatable({ viewer = viewer, script = row.script }, context_meta)
  local job
  contexts[ctx] = ticket
  start(row.script, function(ok, value)
    contexts[ctx] = false
    if cooling_key and (not ok or value == false or (job and job.refused)) then cooling[cooling_key] = nil end
    core.done(ticket, ok and "ok" or "failed")
  end, function(...)
    job = current
    return row.run(...)
  end, ctx, args)
end

function host.line(ticket, text, name, role, rank, platform, id)
  local viewer = { name = name, role = role, rank = rank, platform = platform, id = id }
  local word, args = text:match("^!(%S+) ?(.*)$")
  if ticket == 0 then
    for _, l in ipairs(listeners.line or {}) do
      start(l.script, nil, l.fn, { text = text, viewer = copy(viewer) })
    end
    return
  end
  local row = word and commands[word:lower()]
  if not row then return core.done(ticket, "unknown") end
  if rank < row.rank then return core.done(ticket, "ok") end
  local key
  if row.cooldown > 0 then
    key = row.name .. " " .. platform .. " " .. id .. " " .. args:sub(1, 200)
    if (cooling[key] or 0) > core.now() then return core.done(ticket, "ok") end
    cool(key, row.cooldown)
  end
  run_command(row, ticket, args, viewer, key)
end

function host.event(name, event)
  for _, l in ipairs(listeners[name] or {}) do start(l.script, nil, l.fn, copy(event)) end
end

function host.result(call, ...)
  local job = waiting[call]
  if not job then return end
  waiting[call] = nil
  jobs = jobs - 1
  continue(job, AWAIT, ...)
end

-- The state ends: lines whose handlers wait are given back.
function host.abandon()
  for _, ticket in pairs(contexts) do
    if ticket then core.done(ticket, "failed") end
  end
end

-- Runs what is due; returns when to come again, or nil.
function host.tick(now)
  local next
  for i = #timers, 1, -1 do
    local t = timers[i]
    local fn = t.fn
    if fn and t.due <= now then
      if t.every then
        t.due = t.due + t.every
        if t.due <= now then t.due = now + t.every end -- it fell behind: no burst
      else
        t.fn = nil
      end
      start(t.script, nil, fn)
    end
    if not t.fn then table.remove(timers, i) end
  end
  for _, t in ipairs(timers) do
    if t.fn and (not next or t.due < next) then next = t.due end
  end
  return next
end

return host
