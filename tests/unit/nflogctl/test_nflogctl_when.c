/* SPDX-License-Identifier: MIT */
/* Times of --since and --until: durations, times with and without a zone, and what is neither. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "bytes.h"
#include "clock.h"
#include "when.h"

/* 2026-01-02 03:04:05 UTC */
#define NOW_S INT64_C(1767323045)
#define NOW   (NOW_S * NS_PER_S)

#define HOUR INT64_C(3600)
#define DAY  (24 * HOUR)

static void use_zone(const char *zone)
{
	assert_int_equal(setenv("TZ", zone, 1), 0);
	tzset();
}

static int use_utc(void **state)
{
	(void)state;
	use_zone("UTC0");
	return 0;
}

static void assert_when(const char *text, enum when_kind kind, int64_t ns)
{
	struct when when = {0};

	if (!when_parse(text, NOW, &when))
		fail_msg("'%s' is refused", text);
	assert_int_equal(when.kind, kind);
	if (when.ns != ns)
		fail_msg("'%s' is %lld, not %lld", text, (long long)when.ns, (long long)ns);
}

static void assert_refused(const char *const *texts, size_t count)
{
	struct when when = {.kind = WHEN_AT, .ns = 1};

	for (size_t i = 0; i < count; i++)
		if (when_parse(texts[i], NOW, &when))
			fail_msg("'%s' is taken", texts[i]);
	assert_int_equal(when.kind, WHEN_AT);
	assert_int_equal(when.ns, 1);
}

static void duration_is_the_sum_of_its_parts(void **state)
{
	(void)state;
	assert_when("90s", WHEN_AGO, 90 * NS_PER_S);
	assert_when("10m", WHEN_AGO, 600 * NS_PER_S);
	assert_when("1h30m", WHEN_AGO, 5400 * NS_PER_S);
	assert_when("2d", WHEN_AGO, 2 * DAY * NS_PER_S);
	assert_when("500ms", WHEN_AGO, 500 * NS_PER_MS);
	assert_when("1d2h3m4s5ms", WHEN_AGO, (DAY + 2 * HOUR + 184) * NS_PER_S + 5 * NS_PER_MS);
	assert_when("10000d", WHEN_AGO, 10000 * DAY * NS_PER_S);
	assert_when("+10s", WHEN_AHEAD, 10 * NS_PER_S);
	assert_when("+1h30m", WHEN_AHEAD, 5400 * NS_PER_S);
}

static void what_is_no_duration_is_refused(void **state)
{
	static const char *const texts[] = {
	    "",      "+",    "10",   "10 m",   " 10m",  "10m ",          "m",
	    "-10m",  "1.5h", "10x",  "10min",  "30m1h", "1m1m",          "1sm",
	    "1mss",  "0s",   "+0s",  "10001d", "1d1d",  "999999999999d", "99999999999999999999s",
	    "++10s", "+10",  "10m+", "+-1s",
	};

	(void)state;
	assert_refused(texts, ARRAY_SIZE(texts));
}

static void time_with_a_zone_does_not_depend_on_the_local_one(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		use_zone(i == 0 ? "UTC0" : "CET-1CEST,M3.5.0,M10.5.0/3");
		assert_when("2026-01-02T03:04:05Z", WHEN_AT, NOW);
		assert_when("2026-01-02t03:04:05z", WHEN_AT, NOW);
		assert_when("2026-01-02 03:04:05 Z", WHEN_AT, NOW);
		assert_when("2026-01-02T05:34:05+02:30", WHEN_AT, NOW);
		assert_when("2026-01-01 22:04:05 -05:00", WHEN_AT, NOW);
		assert_when("03:04:05Z", WHEN_AT, NOW);
		/* In this zone the next day has begun. */
		assert_when("03:04:05+23:00", WHEN_AT, NOW + DAY * NS_PER_S - 23 * HOUR * NS_PER_S);
	}
}

static void time_without_a_zone_is_local(void **state)
{
	(void)state;
	assert_when("2026-01-02 03:04:05", WHEN_AT, NOW);
	assert_when("2026-01-02T03:04:05", WHEN_AT, NOW);
	use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_when("2026-01-02 04:04:05", WHEN_AT, NOW);
	assert_when("2026-07-02 05:04:05", WHEN_AT, (NOW_S + 181 * DAY) * NS_PER_S); /* summer */
	/* Where it is the evening of the day before. */
	use_zone("XXX+5");
	assert_when("22:04:05", WHEN_AT, NOW);
}

static void fraction_is_of_nanoseconds(void **state)
{
	(void)state;
	assert_when("2026-01-02T03:04:05.000006Z", WHEN_AT, NOW + 6000);
	assert_when("03:04:05.5", WHEN_AT, NOW + NS_PER_S / 2);
	assert_when("03:04:05.123456789", WHEN_AT, NOW + 123456789);
	assert_when("03:04:05.1234567899999Z", WHEN_AT, NOW + 123456789);
}

static void days_of_the_calendar_and_leap_seconds_are_taken(void **state)
{
	(void)state;
	assert_when("2028-02-29 00:00:00", WHEN_AT, INT64_C(1835395200) * NS_PER_S);
	assert_when("2016-12-31T23:59:60Z", WHEN_AT, INT64_C(1483228800) * NS_PER_S);
	assert_when("1970-01-01T00:00:01Z", WHEN_AT, NS_PER_S);
	assert_when("2262-01-01T00:00:00Z", WHEN_AT, INT64_C(9214646400) * NS_PER_S);
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const texts[] = {
	    "now",
	    "yesterday",
	    "2026-01-02",
	    "2026-01-02 ",
	    "2026-01-02T",
	    "2026-01-02 03:04",
	    "2026-01-02  03:04:05",
	    "2026-01-02_03:04:05",
	    " 2026-01-02 03:04:05",
	    "2026-1-2 03:04:05",
	    "2026-13-02 03:04:05",
	    "2026-02-29 03:04:05",
	    "2026-04-31 03:04:05",
	    "26-01-02 03:04:05",
	    "02026-01-02 03:04:05",
	    "2026-01-02 24:00:00",
	    "2026-01-02 03:60:05",
	    "2026-01-02 03:04:61",
	    "3:04:05",
	    "03:04",
	    "03:04:05.",
	    "03:04:05.x",
	    "03:04:05 ",
	    "03:04:05  Z",
	    "03:04:05 UTC",
	    "03:04:05+0100",
	    "03:04:05+01",
	    "03:04:05+01:60",
	    "03:04:05+1:000",
	    "03:04:05 01:00",
	    "03:04:05Zx",
	    "+2026-01-02 03:04:05",
	    "1970-01-01T00:00:00Z",
	    "1969-12-31T23:59:59Z",
	    "2263-01-01T00:00:00Z",
	    "9999-12-31T23:59:59Z",
	};

	(void)state;
	assert_refused(texts, ARRAY_SIZE(texts));
}

static void every_kind_has_its_place_in_time(void **state)
{
	struct when ago = {WHEN_AGO, 10}, ahead = {WHEN_AHEAD, 10}, at = {WHEN_AT, 10};

	(void)state;
	assert_int_equal(when_at(&ago, NOW), NOW - 10);
	assert_int_equal(when_at(&ahead, NOW), NOW + 10);
	assert_int_equal(when_at(&at, NOW), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(duration_is_the_sum_of_its_parts, use_utc),
	    cmocka_unit_test_setup(what_is_no_duration_is_refused, use_utc),
	    cmocka_unit_test_setup(time_with_a_zone_does_not_depend_on_the_local_one, use_utc),
	    cmocka_unit_test_setup(time_without_a_zone_is_local, use_utc),
	    cmocka_unit_test_setup(fraction_is_of_nanoseconds, use_utc),
	    cmocka_unit_test_setup(days_of_the_calendar_and_leap_seconds_are_taken, use_utc),
	    cmocka_unit_test_setup(what_is_no_time_is_refused, use_utc),
	    cmocka_unit_test_setup(every_kind_has_its_place_in_time, use_utc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
