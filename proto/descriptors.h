/* SPDX-License-Identifier: MIT */
/* descriptors.h - a google.protobuf.FileDescriptorSet: every file of what is served, and its imports */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include <stddef.h>

extern const unsigned char descriptors[];
extern const size_t descriptors_len;

#endif
