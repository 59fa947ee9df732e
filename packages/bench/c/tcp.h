// A connection of one process with itself, as the C programs of the socket suite have it.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "bench.h"

/// Both ends of a connection over the loopback.
static void ConnectTcp(int ends[2]) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  const int on = 1;
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (server < 0 || bind(server, (struct sockaddr*)&address, length) != 0) Fail("bind");
  if (listen(server, 1) != 0) Fail("listen");
  if (getsockname(server, (struct sockaddr*)&address, &length) != 0) Fail("getsockname");
  ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(ends[0], (struct sockaddr*)&address, length) != 0) Fail("connect");
  ends[1] = accept(server, NULL, NULL);
  if (ends[1] < 0) Fail("accept");
  for (int i = 0; i < 2; i++) setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  close(server);
}
