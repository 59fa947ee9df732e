// pin COMMAND ARGUMENT…: runs a program, and all that it starts, on one core: the last that is
// allowed.
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char** argv) {
  cpu_set_t allowed;
  if (argc < 2 || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 2;
  int last = CPU_SETSIZE - 1;
  while (last > 0 && !CPU_ISSET(last, &allowed)) last--;
  CPU_ZERO(&allowed);
  CPU_SET(last, &allowed);
  if (sched_setaffinity(0, sizeof allowed, &allowed) != 0) perror("sched_setaffinity");
  execvp(argv[1], argv + 1);
  perror(argv[1]);
  return 127;
}
