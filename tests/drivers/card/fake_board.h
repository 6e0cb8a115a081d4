/* A board of telephone lines in software, for the fake libraries of voice cards: it has no clock but the test's.

   A thread talks with the test over a Unix socket. 'S' and a `step_in` for each line is 20 ms; the answer is a
   `step_out` for each. 'C' crashes the process, 'W' lets every later call of the library hang. The board is
   taken by whoever has the lock file beside the ini.

   A library that includes this says what a step does: `board_step`. */

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LINES 8
#define FRAME 160
#define SILENCE 0xD5

struct step_in { uint8_t ringing, gone, polarity, volts; char key, number[27]; uint8_t audio[FRAME]; };
struct step_out { uint8_t off_hook, flashed, digit, unused; uint8_t audio[FRAME]; };

static struct { char socket[200]; int lines, types[LINES], refuse, enable, refresh; } ini;
static struct step_in in[LINES];
static struct step_out out[LINES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_t thread;
static int to_test = -1, lock_file = -1;
static volatile int wedged;

static void board_step(void);

/* Every call of a library begins with this. */
static void enter(void)
{
    while (wedged)
        pause();
    pthread_mutex_lock(&lock);
}

static void leave(void) { pthread_mutex_unlock(&lock); }

static int ini_read(const char *path)
{
    char line[300];
    int i = 0;
    FILE *file = fopen(path, "r");
    if (!file)
        return -1;
    memset(&ini, 0, sizeof ini);
    while (fgets(line, sizeof line, file)) {
        sscanf(line, "socket=%199s", ini.socket);
        sscanf(line, "refuse=%d", &ini.refuse);
        sscanf(line, "enable=%d", &ini.enable);
        sscanf(line, "refresh=%d", &ini.refresh);
        if (i < LINES && sscanf(line, "type=%d", &ini.types[i]) == 1)
            ini.lines = ++i;
    }
    fclose(file);
    return 0;
}

static int all(ssize_t (*move)(int, void *, size_t, int), void *bytes, size_t length)
{
    for (char *at = bytes; length;) {
        ssize_t moved = move(to_test, at, length, 0);
        if (moved <= 0)
            return -1;
        at += moved;
        length -= moved;
    }
    return 0;
}

static void *board_thread(void *nothing)
{
    char command;
    while (recv(to_test, &command, 1, 0) == 1) {
        if (command == 'C')
            *(volatile int *)nothing = 1;
        if (command == 'W')
            wedged = 1;
        if (command == 'S' && all(recv, in, ini.lines * sizeof *in) == 0) {
            board_step();
            all((ssize_t (*)(int, void *, size_t, int))send, out, ini.lines * sizeof *out);
        }
    }
    return NULL;
}

/* 0; -1: another process has the board. */
static int board_take(const char *ini_path)
{
    char path[400];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(path, sizeof path, "%s.lock", ini_path);
    lock_file = open(path, O_CREAT | O_RDWR, 0600);
    if (flock(lock_file, LOCK_EX | LOCK_NB) != 0)
        return -1;
    if (!*ini.socket)
        return 0;
    strncpy(address.sun_path, ini.socket, sizeof address.sun_path - 1);
    to_test = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(to_test, (struct sockaddr *)&address, sizeof address) != 0)
        return -1;
    return pthread_create(&thread, NULL, board_thread, NULL);
}

static void board_release(void)
{
    if (to_test >= 0) {
        shutdown(to_test, SHUT_RDWR);
        pthread_join(thread, NULL);
        close(to_test);
        to_test = -1;
    }
    close(lock_file);
}
