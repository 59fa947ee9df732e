/* Tells two readings, the second of which is urgent; then does what it is ordered to. */
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  mqd_t readings = mq_open(argv[1], O_WRONLY);
  mqd_t orders = mq_open(argv[2], O_RDONLY);
  mq_send(readings, "20 degrees", 10, 0);
  mq_send(readings, "smoke", 5, 9);

  char order[64];
  unsigned priority;
  ssize_t length = mq_receive(orders, order, sizeof order, &priority);
  printf("%.*s, priority %u\n", (int)length, order, priority);
  return length < 0;
}
