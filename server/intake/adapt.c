/* SPDX-License-Identifier: MIT */
/* Rates and thresholds. Called for each source that was read, and for those above single at a pace. */
#include "adapt.h"

#include "bytes.h"
#include "clock.h"

#define WINDOW_NS       (20 * NS_PER_MS)
#define WINDOW_PACKETS  512 /* tell as much, in less time */
#define CALM_NS         (500 * NS_PER_MS)
#define TALKING         10                /* packets/s of a source that a pressed thread sends up */
#define TALK_WINDOW_NS  (200 * NS_PER_MS) /* meanwhile: of a shorter one, a packet would be talk */
#define PRESS_WINDOW_NS (100 * NS_PER_MS)
/* Some 10 us each: a tenth of a core. */
#define PRESSED_DATAGRAMS 8000
#define EASED_DATAGRAMS   4000

/* Packets a second from which more than this batching is right; half of it leads back. */
static const uint64_t up_from[] = {
    [BATCHING_SINGLE] = 2000,
    [BATCHING_SMALL] = 50000,
    [BATCHING_LARGE] = UINT64_MAX,
};

static enum batching batching_of(uint64_t rate, enum batching least)
{
	while (rate > up_from[least])
		least++;
	return least;
}

static uint64_t rate_of(uint64_t count, int64_t elapsed_ns)
{
	uint64_t elapsed_us = (uint64_t)(elapsed_ns / NS_PER_US) + 1;

	return count * (uint64_t)(NS_PER_S / NS_PER_US) / elapsed_us;
}

/* Has it been slow for so long that less will do? */
static bool is_calm(struct adapt *adapt, uint64_t rate, int64_t now_ns)
{
	if (adapt->batching == BATCHING_SINGLE || rate > up_from[adapt->batching - 1] / 2) {
		adapt->low_ns = 0;
		return false;
	}
	if (adapt->low_ns == 0)
		adapt->low_ns = now_ns;
	return now_ns - adapt->low_ns >= CALM_NS;
}

static enum batching batching_for(struct adapt *adapt, uint64_t rate, bool pressed, int64_t now_ns)
{
	enum batching batching = adapt->batching;

	if (rate > up_from[batching]) {
		adapt->low_ns = 0;
		return batching_of(rate, batching);
	}
	if (pressed && rate > TALKING && batching < BATCHING_LARGE)
		return batching + 1;
	if (!pressed && is_calm(adapt, rate, now_ns))
		return batching_of(2 * rate, BATCHING_SINGLE);
	return batching;
}

enum batching adapt_judge(struct adapt *adapt, uint64_t packets, bool pressed, int64_t now_ns)
{
	uint64_t count = packets - adapt->packets;
	int64_t elapsed_ns = now_ns - adapt->window_ns;
	int64_t least_ns = pressed ? TALK_WINDOW_NS : WINDOW_NS;
	bool is_first = adapt->window_ns == 0;

	if (!is_first && elapsed_ns < least_ns && count < WINDOW_PACKETS)
		return adapt->right;
	adapt->packets = packets;
	adapt->window_ns = now_ns;
	if (is_first)
		return adapt->right;
	adapt->rate = rate_of(count, elapsed_ns);
	adapt->right = batching_for(adapt, adapt->rate, pressed, now_ns);
	return adapt->right;
}

uint64_t adapt_load(const struct adapt *adapt, uint64_t packets, uint64_t datagrams)
{
	return adapt->rate > up_from[BATCHING_SINGLE] ? datagrams : packets;
}

bool adapt_press(struct pressure *pressure, uint64_t load, int64_t now_ns)
{
	int64_t elapsed_ns = now_ns - pressure->window_ns;
	uint64_t rate;

	pressure->load += load;
	if (elapsed_ns < PRESS_WINDOW_NS)
		return pressure->pressed;
	rate = rate_of(pressure->load, elapsed_ns);
	pressure->pressed = rate > (pressure->pressed ? EASED_DATAGRAMS : PRESSED_DATAGRAMS);
	pressure->load = 0;
	pressure->window_ns = now_ns;
	return pressure->pressed;
}
