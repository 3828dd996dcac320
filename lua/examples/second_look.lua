-- second_look.lua: prompts that name a brand are held for the operator even when gates.prompt is "auto", and
-- empty wishes are refused with a hint.
-- Use it: scripts = { "commands", "styles", "examples/second_look" }

local brands = { "cola", "burger", "sneaker" }

sakuga.hook("submit", function(prompt)
  local text = prompt.text:lower()
  for _, brand in ipairs(brands) do
    if text:find(brand, 1, true) then return "hold", "it names a brand: " .. brand end
  end
  if text == "anything" or text == "something" then
    return "refuse", "be bold: say who, where and what happens"
  end
end)
