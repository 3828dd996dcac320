-- The demo: an audience from a seed, drawn title cards, a stage that nobody watches.
-- `./bootstrap demo` opens it. Press ? for help; nothing leaves this machine.
return {
    chat   = { { kind = "simulated", seed = 21, rate = 120 } },
    engine = { kind = "animatic" },
    gates  = { prompt = "operator", clip = "operator" },
    limits = { per_viewer = 1, cooldown = 20, queue = 60 },
    stage  = { gallery_dwell = 6, label = "AI-generated" },
}
