-- styles.lua: the stock styles. A copy of this file in the config folder takes its place.
--
-- Who chooses none leaves it to the engine. A palette goes from the darkest colour to the accent; the animatic
-- paints with it. A LoRA is named by its alias in the model folder, never by a path.

sakuga.style{
  name = "ghibli",
  about = "soft hills, wind in the grass, painted skies",
  template = "hand-painted anime film still, {prompt}, lush watercolor backgrounds, soft natural light, "
    .. "gentle wind, warm storybook mood",
  negative = "photorealistic, 3d render, harsh contrast, neon, text, watermark, deformed hands",
  width = 832, height = 480, steps = 30,
  palette = { "#1d3b38", "#3c6e57", "#7fa86b", "#c9d79a", "#f3e7c4", "#e07a5f" },
  lora = { alias = "ghibli", weight = 0.8 },
}

sakuga.style{
  name = "cyberpunk",
  about = "rain, neon and chrome after midnight",
  template = "cyberpunk anime, {prompt}, neon signs reflected in wet streets, volumetric fog, deep shadows, "
    .. "cinematic night lighting",
  negative = "daylight, pastel, rustic, photorealistic, text, watermark, deformed hands",
  width = 832, height = 480, steps = 30,
  palette = { "#0b0a1a", "#1f1147", "#4b1d8f", "#0fb5d6", "#35f0e0", "#ff2e88" },
  lora = { alias = "cyberpunk", weight = 0.9 },
}

sakuga.style{
  name = "shonen",
  about = "speed lines, bold ink and a clear blue sky",
  template = "dynamic shonen anime, {prompt}, bold line art, dramatic foreshortening, speed lines, "
    .. "saturated cel shading",
  negative = "muted colors, soft focus, photorealistic, static pose, text, watermark, deformed hands",
  width = 832, height = 480, steps = 28,
  palette = { "#10142b", "#1c3d8c", "#2f8de4", "#ffd23f", "#fff4d6", "#ee4035" },
  lora = { alias = "shonen", weight = 0.8 },
}

sakuga.style{
  name = "noir",
  about = "black ink, smoke and one red light",
  template = "noir anime, {prompt}, high-contrast black and white ink, hard window light, drifting smoke, "
    .. "a single red accent",
  negative = "colorful, bright, cheerful, photorealistic, text, watermark, deformed hands",
  width = 832, height = 480, steps = 28,
  palette = { "#08090b", "#1b1e23", "#3d434b", "#868d96", "#e8e6e1", "#b3122a" },
  lora = { alias = "noir", weight = 0.85 },
}

sakuga.style{
  name = "watercolor",
  about = "wet paper, loose brush and pale light",
  template = "watercolor anime illustration in motion, {prompt}, wet-on-wet washes, visible paper grain, "
    .. "loose brushwork, pale morning light",
  negative = "hard outlines, neon, photorealistic, 3d render, text, watermark, deformed hands",
  width = 832, height = 480, steps = 30,
  palette = { "#33415c", "#5c7ea6", "#9cc3d5", "#d9e6dc", "#f7efe5", "#e79a9a" },
  lora = { alias = "watercolor", weight = 0.75 },
}

sakuga.style{
  name = "mecha",
  about = "steel giants under a burning sky",
  template = "mecha anime, {prompt}, detailed mechanical design, panel lines, glowing visor, scale and weight, "
    .. "burning sunset sky",
  negative = "organic, cute, chibi, photorealistic, text, watermark, blurry machinery",
  width = 832, height = 480, steps = 32,
  palette = { "#141a22", "#2e3b4a", "#5f7183", "#aab8c2", "#ff9f1c", "#f25f1a" },
  lora = { alias = "mecha", weight = 0.9 },
}
