#include "courier/watchdog.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t watched = -1, barked;

static void bark(int sig)
{
    int error = errno;

    (void)sig;
    if (barked)
        _exit(WATCHDOG_STUCK);
    barked = 1;
    if (watched != -1)
        (void)shutdown(watched, SHUT_RDWR);
    errno = error;
}

void watchdog_ready(void)
{
    static bool ready;
    struct sigaction act = { .sa_handler = bark, .sa_flags = SA_RESTART };
    sigset_t alarms;

    if (ready)
        return;
    ready = true;
    sigemptyset(&act.sa_mask);
    (void)sigaction(SIGALRM, &act, NULL);
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    (void)sigprocmask(SIG_UNBLOCK, &alarms, NULL);
}

static void set_timer(uint32_t seconds, uint32_t then)
{
    const struct itimerval t = { .it_value = { .tv_sec = seconds },
                                 .it_interval = { .tv_sec = then } };

    (void)setitimer(ITIMER_REAL, &t, NULL);
}

void watchdog_start(int fd, uint32_t seconds)
{
    watchdog_ready();
    set_timer(0, 0);
    watched = fd;
    barked = 0;
    set_timer(seconds ? seconds : 1, WATCHDOG_GRACE_S);
}

bool watchdog_stop(void)
{
    set_timer(0, 0);
    watched = -1;
    return barked;
}
