-- commands.lua: the stock chat commands. A copy of this file in the config folder takes its place.

local quotes = { { '"', '"' }, { "“", "”" }, { "「", "」" } }

-- One pair of outer quotes is dropped, the rest is the prompt.
local function unquoted(text)
  text = text:match("^%s*(.-)%s*$")
  for _, q in ipairs(quotes) do
    local open, close = q[1], q[2]
    if #text >= #open + #close and text:sub(1, #open) == open and text:sub(-#close) == close then
      return text:sub(#open + 1, -#close - 1)
    end
  end
  return text
end

local function eta(p)
  if not p.eta_low then return "" end
  if p.eta_high < 120 then return (", on air in %d-%d s"):format(p.eta_low, p.eta_high) end
  return (", on air in %d-%d min"):format(p.eta_low // 60, (p.eta_high + 59) // 60)
end

-- "12" or "#12"; nil when it is neither.
local function number(args)
  return math.tointeger(tonumber(args:match("^#?(%d+)$")))
end

sakuga.command{
  name = "anime",
  aliases = {},
  args = "TEXT",
  help = "ask for a clip",
  cooldown = 0, -- limits.cooldown in show.lua holds, and only an accepted prompt counts
  run = function(ctx, args)
    local ok, id, words = ctx:submit{ text = unquoted(args) }
    if not ok then
      ctx:reply(id)
      return
    end
    local p = sakuga.prompt(id)
    local held = words:find("held", 1, true) and "; a person looks at it first" or ""
    if p and p.position then
      ctx:reply(("#%d is in, place %d%s%s"):format(id, p.position, eta(p), held))
    else
      ctx:reply(("#%d is in%s"):format(id, held))
    end
  end,
}

sakuga.command{
  name = "style",
  aliases = {},
  args = "NAME",
  help = "choose how your prompts are drawn",
  cooldown = 0,
  run = function(ctx, args)
    local name = args:match("^(%S+)")
    if not name then
      ctx:reply("which one? see !styles")
      return false
    end
    local _, words = ctx:style(name:lower())
    ctx:reply(words)
  end,
}

sakuga.command{
  name = "styles",
  aliases = {},
  help = "the styles there are",
  cooldown = 2,
  run = function(ctx)
    local names = {}
    for i, s in ipairs(sakuga.styles()) do names[i] = s.name end
    ctx:reply(#names > 0 and "styles: " .. table.concat(names, ", ") or "there is only one style")
  end,
}

sakuga.command{
  name = "queue",
  aliases = { "q" },
  help = "how long the queue is",
  cooldown = 0,
  run = function(ctx)
    local q = sakuga.queue()
    local said = { ("%d waiting"):format(q.waiting or 0) }
    if q.drawing then said[#said + 1] = ("drawing #%d"):format(q.drawing) end
    if q.next then said[#said + 1] = ("next #%d"):format(q.next) end
    ctx:reply(table.concat(said, ", ") .. eta(q) .. (q.open == false and "; submissions are closed" or ""))
  end,
}

sakuga.command{
  name = "mine",
  aliases = {},
  help = "what became of your prompts",
  cooldown = 0,
  run = function(ctx)
    local said = {}
    for _, p in ipairs(sakuga.prompts(ctx.viewer)) do
      local place = p.position and (", place %d"):format(p.position) or ""
      said[#said + 1] = ("#%d is %s%s%s"):format(p.id, p.state, place, eta(p))
      if #said == 5 then break end
    end
    ctx:reply(#said > 0 and table.concat(said, "; ") or "you have no prompt in the show")
  end,
}

sakuga.command{
  name = "cancel",
  aliases = {},
  args = "[ID]",
  help = "take your prompt back",
  cooldown = 0,
  run = function(ctx, args)
    local id = number(args)
    if args ~= "" and not id then
      ctx:reply("usage: !cancel [ID]")
      return false
    end
    local ok, words, done = ctx:cancel(id)
    ctx:reply(ok and done and ("#%d is cancelled"):format(done) or words)
  end,
}

sakuga.command{
  name = "vote",
  aliases = {},
  args = "ID",
  help = "vote for a prompt that waits",
  cooldown = 0,
  run = function(ctx, args)
    local id = number(args)
    if not id then
      ctx:reply("usage: !vote ID")
      return false
    end
    local _, words = ctx:vote(id)
    ctx:reply(words)
  end,
}

sakuga.command{
  name = "help",
  aliases = { "commands" },
  args = "[COMMAND]",
  help = "what you can say",
  cooldown = 2,
  run = function(ctx, args)
    local wanted, names = args:lower():match("^!?(%S*)"), {}
    for _, c in ipairs(sakuga.commands()) do
      local usage, is = "!" .. c.name .. (c.args ~= "" and " " .. c.args or ""), c.name == wanted
      for _, alias in ipairs(c.aliases) do is = is or alias == wanted end
      if is then
        local also = #c.aliases > 0 and " (also !" .. table.concat(c.aliases, ", !") .. ")" or ""
        ctx:reply(usage .. ": " .. c.help .. also)
        return
      end
      if c.role <= ctx.viewer.rank then names[#names + 1] = usage end
    end
    ctx:reply(wanted == "" and table.concat(names, ", ") or "there is no command !" .. wanted)
  end,
}
