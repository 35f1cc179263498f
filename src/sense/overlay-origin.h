/* Where a file of an overlay's upper layer was copied up from. */
#ifndef SEKISHO_SENSE_OVERLAY_ORIGIN_H
#define SEKISHO_SENSE_OVERLAY_ORIGIN_H

#include <stdbool.h>
#include <sys/stat.h>

/* Whether the file at that path of the upper layer is a copy of one below. */
bool overlay_is_copy(const char *path);

/*
 * How the file below is: by the handle of it that the overlay keeps with the copy (struct ovl_fb, fs/overlayfs/
 * overlayfs.h). upper: a directory of the upper layer. 0; -ENODATA: it is no copy; -EINVAL: a handle of a form that is
 * not known; -errno: it is not to be found, for one because it lies on another file system than the upper layer.
 */
int overlay_origin_stat(const char *upper, const char *path, struct stat *ret);

#endif
