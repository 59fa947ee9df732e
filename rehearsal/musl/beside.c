/* What GNU's C++ library asks of the C library that musl has not, for a shared object with the little of it that Bun wants:
   scripts/rehearsal/musl.mjs links it. */
#define _GNU_SOURCE
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* libstdc++ goes without atomic operations while there is one thread: here there may always be more. */
char __libc_single_threaded = 0;

/* What the startup files have, of which none is linked. */
__attribute__((visibility("hidden"))) void *__dso_handle = &__dso_handle;

unsigned arc4random(void) {
  unsigned value;
  if (getentropy(&value, sizeof value) != 0) abort();
  return value;
}

struct search {
  ElfW(Addr) address;
  struct dl_find_object *found;
};

static int look(struct dl_phdr_info *info, size_t size, void *data) {
  struct search *search = data;
  const ElfW(Phdr) *frames = NULL;
  int is_in = 0;
  (void)size;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    const ElfW(Addr) start = info->dlpi_addr + segment->p_vaddr;
    if (segment->p_type == PT_GNU_EH_FRAME) frames = segment;
    if (segment->p_type != PT_LOAD) continue;
    if (search->address < start || search->address - start >= segment->p_memsz) continue;
    search->found->dlfo_map_start = (void *)start;
    search->found->dlfo_map_end = (void *)(start + segment->p_memsz);
    is_in = 1;
  }
  if (!is_in || frames == NULL) return 0;
  search->found->dlfo_eh_frame = (void *)(info->dlpi_addr + frames->p_vaddr);
  return 1;
}

/* By which the unwinder finds its tables. */
int _dl_find_object(void *address, struct dl_find_object *found) {
  struct search search = {(ElfW(Addr))address, found};
  memset(found, 0, sizeof *found);
  return dl_iterate_phdr(look, &search) == 1 ? 0 : -1;
}
