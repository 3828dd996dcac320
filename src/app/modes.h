/* app/modes: one function a mode of the program; each returns the exit code. */
#ifndef SAKUGA_APP_MODES_H
#define SAKUGA_APP_MODES_H

#include "app/options.h"

int mode_headless(const struct options *o);
int mode_console(const struct options *o);
int mode_ctl(const struct options *o);
int mode_doctor(const struct options *o);
int mode_info(const struct options *o);
int mode_inspect(const struct options *o);
int mode_backup(const struct options *o);
int mode_generate(const struct options *o);
int mode_replay(const struct options *o);
int mode_model(const struct options *o);
int mode_obs(const struct options *o);

#endif
