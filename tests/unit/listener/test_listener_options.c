/* SPDX-License-Identifier: MIT */
/* Values that the kernel would accept and ignore end here, and profiles mean what they say. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"

static struct nfl_listener_options defaults(void)
{
	return (struct nfl_listener_options){.size = sizeof(struct nfl_listener_options)};
}

/* Through the public call, which must refuse before it needs a privilege. */
static void assert_refused(struct nfl_listener_options options, const char *expected_text)
{
	struct nfl_listener *listener = NULL;
	struct nfl_error err = {0};

	assert_int_equal(nfl_listener_open(&options, &listener, &err), -EINVAL);
	assert_null(listener);
	if (!strstr(err.text, expected_text))
		fail_msg("expected \"%s\" in \"%s\"", expected_text, err.text);
	assert_int_equal(nfl_listener_open(&options, &listener, NULL), -EINVAL);
}

static struct nfl_listener_options resolve(struct nfl_listener_options options)
{
	struct nfl_listener_options resolved;

	assert_int_equal(options_resolve(&options, &resolved, NULL), 0);
	return resolved;
}

static void unknown_flags_are_refused_and_all_known_ones_accepted(void **state)
{
	struct nfl_listener_options options = defaults();

	(void)state;
	for (options.flags = 0; options.flags < 8; options.flags++)
		assert_int_equal(resolve(options).flags, options.flags);
	for (uint32_t bit = 8; bit; bit <<= 1) {
		options.flags = bit | NFL_FLAG_SEQ;
		assert_refused(options, "unknown flags");
	}
}

static void unknown_choices_are_refused(void **state)
{
	struct nfl_listener_options options = defaults();

	(void)state;
	options.copy_mode = (enum nfl_copy_mode)3;
	assert_refused(options, "unknown copy mode 3");
	options = defaults();
	options.profile = (enum nfl_profile)4;
	assert_refused(options, "unknown profile 4");
	options = defaults();
	options.set = 32;
	assert_refused(options, "unknown bits 0x20");
}

static void numbers_out_of_range_are_refused_and_named(void **state)
{
	struct nfl_listener_options options = defaults();

	(void)state;
	options.set = NFL_SET_COPY_RANGE;
	options.copy_range = NFL_COPY_RANGE_MAX + 1;
	assert_refused(options, "copy_range is 65532, expected 0..65531");
	options = defaults();
	options.set = NFL_SET_NLBUFSIZ;
	options.nlbufsiz = NFL_NLBUFSIZ_MIN - 1;
	assert_refused(options, "nlbufsiz is 3775");
	options.nlbufsiz = NFL_NLBUFSIZ_MAX + 1;
	assert_refused(options, "nlbufsiz is 131073");
	options = defaults();
	options.set = NFL_SET_TIMEOUT;
	options.timeout_ms = NFL_TIMEOUT_MAX_MS + 1;
	assert_refused(options, "timeout_ms is 3600001");
	options = defaults();
	options.set = NFL_SET_RCVBUF;
	assert_refused(options, "rcvbuf is 0");
	options.rcvbuf = UINT32_C(0x80000000);
	assert_refused(options, "rcvbuf is 2147483648");
}

static void numbers_at_their_limits_are_taken_as_they_are(void **state)
{
	struct nfl_listener_options options = defaults();

	(void)state;
	options.set = NFL_SET_NLBUFSIZ | NFL_SET_TIMEOUT | NFL_SET_QTHRESH | NFL_SET_RCVBUF;
	options.nlbufsiz = NFL_NLBUFSIZ_MAX;
	options.timeout_ms = NFL_TIMEOUT_MAX_MS;
	options.qthresh = UINT32_MAX;
	options.rcvbuf = 1;
	assert_int_equal(resolve(options).nlbufsiz, NFL_NLBUFSIZ_MAX);
	assert_int_equal(resolve(options).timeout_ms, NFL_TIMEOUT_MAX_MS);
	assert_int_equal(resolve(options).qthresh, UINT32_MAX);
	assert_int_equal(resolve(options).rcvbuf, 1);
	options.nlbufsiz = NFL_NLBUFSIZ_MIN;
	options.timeout_ms = 0;
	options.qthresh = 0;
	assert_int_equal(resolve(options).nlbufsiz, NFL_NLBUFSIZ_MIN);
	assert_int_equal(resolve(options).timeout_ms, 0);
	assert_int_equal(resolve(options).qthresh, 0);
}

static void profiles_set_what_the_caller_does_not(void **state)
{
	struct nfl_listener_options options = defaults(), resolved;

	(void)state;
	options.qthresh = 7; /* not in set: without effect */
	resolved = resolve(options);
	assert_int_equal(resolved.qthresh, 4096);
	assert_int_equal(resolved.timeout_ms, 10);
	assert_int_equal(resolved.nlbufsiz, 65216);
	assert_int_equal(resolved.rcvbuf, NFL_RCVBUF_DEFAULT);
	options.profile = NFL_PROFILE_LATENCY;
	resolved = resolve(options);
	assert_int_equal(resolved.qthresh, 1);
	assert_int_equal(resolved.timeout_ms, 0);
	assert_int_equal(resolved.nlbufsiz, 0);
	options.profile = NFL_PROFILE_ADAPTIVE; /* begins like it */
	resolved = resolve(options);
	assert_int_equal(resolved.qthresh, 1);
	assert_int_equal(resolved.timeout_ms, 0);
	assert_int_equal(resolved.nlbufsiz, 0);
	options.profile = NFL_PROFILE_THROUGHPUT;
	options.set = NFL_SET_QTHRESH;
	resolved = resolve(options);
	assert_int_equal(resolved.qthresh, 7);
	assert_int_equal(resolved.timeout_ms, 100);
	assert_int_equal(resolved.nlbufsiz, 130752);
}

static void timeouts_are_rounded_up_to_what_the_kernel_counts_in(void **state)
{
	struct nfl_listener_options options = defaults();

	(void)state;
	options.set = NFL_SET_TIMEOUT;
	options.timeout_ms = 1;
	assert_int_equal(resolve(options).timeout_ms, 10);
	options.timeout_ms = 10;
	assert_int_equal(resolve(options).timeout_ms, 10);
	options.timeout_ms = 11;
	assert_int_equal(resolve(options).timeout_ms, 20);
}

static void a_copy_range_of_zero_is_everything_and_without_payload_nothing(void **state)
{
	struct nfl_listener_options options = defaults();

	(void)state;
	assert_int_equal(resolve(options).copy_range, NFL_COPY_RANGE_MAX);
	options.set = NFL_SET_COPY_RANGE;
	assert_int_equal(resolve(options).copy_range, NFL_COPY_RANGE_MAX);
	options.copy_range = 128;
	assert_int_equal(resolve(options).copy_range, 128);
	options.copy_mode = NFL_COPY_META;
	assert_int_equal(resolve(options).copy_range, 0);
}

static void a_shorter_struct_is_refused_and_a_longer_one_only_if_it_asks_for_more(void **state)
{
	struct {
		struct nfl_listener_options known;
		uint64_t newer;
	} options = {.known = defaults()};

	(void)state;
	options.known.size = sizeof(options.known) - 1;
	assert_refused(options.known, "options.size");
	options.known.size = sizeof(options);
	assert_int_equal(options_resolve(&options.known, &(struct nfl_listener_options){0}, NULL),
			 0);
	options.newer = 1;
	assert_int_equal(options_resolve(&options.known, &(struct nfl_listener_options){0}, NULL),
			 -EINVAL);
}

static void missing_arguments_are_refused(void **state)
{
	struct nfl_listener_options options = defaults();
	struct nfl_listener *listener;

	(void)state;
	assert_int_equal(nfl_listener_open(NULL, &listener, NULL), -EINVAL);
	assert_int_equal(nfl_listener_open(&options, NULL, NULL), -EINVAL);
	assert_int_equal(nfl_listener_receive(NULL, NULL, 0, NULL, NULL), -EINVAL);
	assert_int_equal(nfl_listener_run(NULL, NULL, NULL, 0), -EINVAL);
	assert_int_equal(nfl_listener_unbind(NULL), -EINVAL);
	nfl_listener_cancel(NULL);
	nfl_listener_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(unknown_flags_are_refused_and_all_known_ones_accepted),
	    cmocka_unit_test(unknown_choices_are_refused),
	    cmocka_unit_test(numbers_out_of_range_are_refused_and_named),
	    cmocka_unit_test(numbers_at_their_limits_are_taken_as_they_are),
	    cmocka_unit_test(profiles_set_what_the_caller_does_not),
	    cmocka_unit_test(timeouts_are_rounded_up_to_what_the_kernel_counts_in),
	    cmocka_unit_test(a_copy_range_of_zero_is_everything_and_without_payload_nothing),
	    cmocka_unit_test(a_shorter_struct_is_refused_and_a_longer_one_only_if_it_asks_for_more),
	    cmocka_unit_test(missing_arguments_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
