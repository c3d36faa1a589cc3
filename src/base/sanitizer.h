/* SPDX-License-Identifier: MIT
 *
 * sanitizer - which of them this file is compiled with.
 *
 * Place:   base. For what cannot be the same under a sanitizer: it has signal handlers, threads and
 *          system calls of its own. Values for #if and for if.
 */
#ifndef DX_BASE_SANITIZER_H
#define DX_BASE_SANITIZER_H

#if defined(__has_feature) /* clang */
#define DX_ADDRESS_SANITIZER __has_feature(address_sanitizer)
#define DX_THREAD_SANITIZER  __has_feature(thread_sanitizer)
#else /* gcc */
#if defined(__SANITIZE_ADDRESS__)
#define DX_ADDRESS_SANITIZER 1
#else
#define DX_ADDRESS_SANITIZER 0
#endif
#if defined(__SANITIZE_THREAD__)
#define DX_THREAD_SANITIZER 1
#else
#define DX_THREAD_SANITIZER 0
#endif
#endif

#define DX_SANITIZED (DX_ADDRESS_SANITIZER || DX_THREAD_SANITIZER)

#endif
