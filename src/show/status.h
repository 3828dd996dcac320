/* show/status: what the console knows of its neighbours: OBS, chat, the engine, the disk.
 *
 * Plain data inside `struct show`, written by the desk when a room reports, read by views, `ctl`
 * and scripts. Ages are counted from monotonic milliseconds. */
#ifndef SAKUGA_SHOW_STATUS_H
#define SAKUGA_SHOW_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHAT_SOURCES_MAX 8

/* The stage: what the audience sees. One table of moves in obs/stage.c. */
enum stage_scene { STAGE_STANDBY, STAGE_GENERATING, STAGE_RESULT, STAGE_GALLERY, STAGE_SCENES };
const char *stage_scene_name(enum stage_scene s); /* "standby", "generating", ... */

struct obs_status {
    bool configured;        /* show.lua names an OBS; else the stage shows to nobody */
    bool connected;         /* identified and resynced */
    bool gave_up;           /* wrong password or kicked: `why` says what to do; no more attempts */
    char why[200];          /* the last failure, in words, "" when connected */
    char scene[128];        /* the program scene as OBS told it, "" unknown */
    enum stage_scene stage; /* where our stage believes to be */
    int latency_ms;         /* of the last probe; -1 unknown */
    int64_t heard_ms;       /* mono of the last message */
    bool streaming, recording;
    double fps;
    int64_t skipped_frames; /* render + output, since the connection */
    char monitor[64];       /* confidence monitor: "" fine, else "black 4 s", "frozen 6 s" */
};

struct chat_status {
    char kind[16];   /* "irc", "simulated" */
    char where[128]; /* "ircs://host:6697/#show" without secrets */
    bool connected;  /* joined, and a byte came within the deadline */
    char why[200];
    int64_t heard_ms; /* mono of the last byte; 0 never */
    uint64_t lines;   /* chat lines so far */
};

enum engine_state { ENGINE_DOWN, ENGINE_STARTING, ENGINE_IDLE, ENGINE_DRAWING };
const char *engine_state_name(enum engine_state s);

struct device_status {
    char name[96];                /* "NVIDIA H200", or the CPU's name */
    double util;                  /* 0..1 of the GPU; of the process on a CPU */
    int64_t memory, memory_total; /* bytes */
    double watts, celsius;        /* < 0 unknown */
};

struct engine_status {
    char kind[16]; /* "animatic" */
    enum engine_state state;
    int64_t job;      /* prompt id, 0 none */
    char stage[24];   /* "draw", "encode", "check", ... of the running job */
    double progress;  /* 0..1 over all stages */
    int64_t eta_ms;   /* to the end of the job; -1 unknown */
    int64_t heard_ms; /* mono of the last heartbeat */
    char why[200];    /* why it is down */
    double throttle;  /* part of its time that it leaves to OBS */
    struct device_status device;
};

/* A small picture for the terminal: w*h RGB triples, rows from the top. Owned by its holder. */
struct picture {
    int w, h;
    uint8_t *rgb;
    int64_t job;     /* prompt id it belongs to, 0 none */
    uint64_t serial; /* grows with each new picture */
};
/* Takes a copy; a failed allocation leaves an empty picture. */
void picture_set(struct picture *p, int w, int h, const uint8_t *rgb, int64_t job);
void picture_clear(struct picture *p);

#endif
