/* SPDX-License-Identifier: MIT */
/* listener/refusal.h - why the kernel refused a group */
#ifndef LISTENER_REFUSAL_H
#define LISTENER_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

#include <nfl/listener.h>

/**
 * refusal_explain - the kernel's error to one that a caller can act on
 * @code: negative errno of the kernel's answer
 * @port_id: our own
 * To be called inside the namespace: the list of who has which group is that of the thread's.
 * Returns the code for nfl_socket_open(), with @err set.
 */
int refusal_explain(int code, uint16_t group, uint32_t port_id, struct nfl_error *err);

/* Whether CAP_NET_ADMIN is in effect; true where that cannot be known. */
bool refusal_has_net_admin(void);

#endif
