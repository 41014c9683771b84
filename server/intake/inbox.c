/* SPDX-License-Identifier: MIT */
/* Four lists under one lock. Called by intake.c. */
#include "inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cleanup.h"
#include "feed.h"
#include "source.h"
#include "space.h"

int inbox_init(struct inbox *inbox)
{
	int r = pthread_mutex_init(&inbox->lock, NULL);

	if (r)
		return -r;
	inbox->news = (struct news){0};
	inbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (inbox->fd >= 0)
		return 0;
	r = -errno;
	(void)pthread_mutex_destroy(&inbox->lock);
	return r;
}

void errand_free(struct errand *errand)
{
	(void)source_unref(errand->source);
	free(errand);
}

void inbox_done(struct inbox *inbox)
{
	struct news *news = &inbox->news;

	while (news->feeds) {
		struct feed *feed = news->feeds;

		news->feeds = feed->next;
		feed_free(feed);
	}
	while (news->spaces) {
		struct space *space = news->spaces;

		news->spaces = space->next;
		space_free(space);
	}
	while (news->errands) {
		struct errand *errand = news->errands;

		news->errands = errand->next;
		errand_free(errand);
	}
	closep(&inbox->fd);
	(void)pthread_mutex_destroy(&inbox->lock);
}

void inbox_tell(const struct inbox *inbox)
{
	const uint64_t one = 1;

	(void)!write(inbox->fd, &one, sizeof(one)); /* full: it is told already */
}

static void unlock_and_tell(struct inbox *inbox)
{
	(void)pthread_mutex_unlock(&inbox->lock);
	inbox_tell(inbox);
}

void inbox_add_space(struct inbox *inbox, struct space *space)
{
	(void)pthread_mutex_lock(&inbox->lock);
	space->next = inbox->news.spaces;
	inbox->news.spaces = space;
	unlock_and_tell(inbox);
}

void inbox_add_feed(struct inbox *inbox, struct feed *feed)
{
	(void)pthread_mutex_lock(&inbox->lock);
	feed->next = inbox->news.feeds;
	inbox->news.feeds = feed;
	unlock_and_tell(inbox);
}

void inbox_remove_space(struct inbox *inbox, struct space *space, const char *detail)
{
	(void)pthread_mutex_lock(&inbox->lock);
	space->detail = detail;
	space->leaving = inbox->news.leaving;
	inbox->news.leaving = space;
	unlock_and_tell(inbox);
}

int inbox_add_errand(struct inbox *inbox, const struct errand *errand)
{
	struct errand *copy = malloc(sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *errand;
	(void)source_ref(copy->source);
	(void)pthread_mutex_lock(&inbox->lock);
	copy->next = inbox->news.errands;
	inbox->news.errands = copy;
	unlock_and_tell(inbox);
	return 0;
}

static struct errand *reversed(struct errand *latest)
{
	struct errand *first = NULL;

	while (latest) {
		struct errand *errand = latest;

		latest = errand->next;
		errand->next = first;
		first = errand;
	}
	return first;
}

void inbox_take(struct inbox *inbox, struct news *ret)
{
	uint64_t times;

	(void)!read(inbox->fd, &times, sizeof(times)); /* before the look, not after */
	(void)pthread_mutex_lock(&inbox->lock);
	*ret = inbox->news;
	inbox->news = (struct news){0};
	(void)pthread_mutex_unlock(&inbox->lock);
	ret->errands = reversed(ret->errands);
}
