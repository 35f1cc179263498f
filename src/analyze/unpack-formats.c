/*
 * The table of formats that the unpacking engine knows, and what tells them: a magic number, and where that is weak,
 * fields that must fit. See unpack-private.h.
 */
#include "analyze/unpack-private.h"

#include "base/cursor.h"

#include <archive.h>
#include <isa-l.h>

#define DEFLATE_TRIED     512u /* bytes that must inflate, */
#define PDF_OBJECT_WITHIN 1024u
#define DEFLATE_MIN       24u /* and what they must give */

static bool is_zip_inside(struct str s)
{
        struct cursor c = cursor_from(str_from(s, 4));
        uint16_t version = cursor_le16(&c), flags = cursor_le16(&c), method = cursor_le16(&c);
        cursor_skip(&c, 16);
        uint16_t name_bytes = cursor_le16(&c);
        return cursor_ok(&c) && (version & 0xff) <= 63 && method <= 99 && name_bytes && name_bytes <= 4096 &&
               (flags & 0xc000) == 0;
}

static bool is_gzip(struct str s) { return s.n >= 18 && !((uint8_t)s.p[3] & 0xe0); } /* RFC 1952: reserved flags */

static bool is_gzip_inside(struct str s) /* who made it, and how: what the known programs write there */
{
        uint8_t extra = (uint8_t)s.p[8], maker = (uint8_t)s.p[9];
        return (extra == 0 || extra == 2 || extra == 4) && (maker <= 13 || maker == 255);
}

static bool is_bzip2(struct str s)
{
        return s.n >= 14 && s.p[3] >= '1' && s.p[3] <= '9' &&
               (memcmp(s.p + 4, "1AY&SY", 6) == 0 || memcmp(s.p + 4, "\x17rE8P\x90", 6) == 0);
}

static bool is_lzma(struct str s) /* no magic number: properties, a usual dictionary, a size that can be */
{
        struct cursor c = cursor_from(s);
        uint8_t properties = cursor_u8(&c);
        uint32_t dictionary = cursor_le32(&c);
        uint64_t size = cursor_le64(&c);
        uint32_t top = dictionary & ~(dictionary >> 1); /* 2^n and 2^n + 2^(n-1): liblzma takes no others */
        bool is_usual = dictionary >= 4096 && ((dictionary & (dictionary - 1)) == 0 || dictionary == (top | top >> 1));
        return properties < 9 * 5 * 5 && is_usual && (size == UINT64_MAX || size < UINT64_C(1) << 40) &&
               cursor_u8(&c) == 0 && cursor_ok(&c);
}

/* As streams have it: no size is known. LZMA detects no damage, so what only looks like it is costly. */
static bool is_lzma_inside(struct str s) { return memcmp(s.p + 5, "\xff\xff\xff\xff\xff\xff\xff\xff", 8) == 0; }

static bool is_lzop_inside(struct str s) /* versions: of the program, of its library, that needed to extract */
{
        struct cursor c = cursor_from(str_from(s, 9));
        uint16_t version = cursor_be16(&c), library = cursor_be16(&c), needed = cursor_be16(&c);
        return cursor_ok(&c) && version >= 0x0900 && version <= 0x1fff && library >= 0x1000 && library <= 0x2fff &&
               needed >= 0x0900 && needed <= version;
}

static bool is_lz4_inside(struct str s) /* its frame descriptor: version 1, reserved bits, sizes of blocks */
{
        return s.n > 6 && (s.p[4] & 0xc2) == 0x40 && !(s.p[5] & 0x8f) && (uint8_t)s.p[5] >= 0x40;
}

static bool is_kernels_lz4_inside(struct str s) /* the size of its first block of at most 8 MiB */
{
        struct cursor c = cursor_from(str_from(s, 4));
        uint32_t size = cursor_le32(&c);
        return cursor_ok(&c) && size > 8 && size < 9u << 20;
}

static bool is_lzip(struct str s) { return s.n > 5 && s.p[4] == 1 && (s.p[5] & 0x1f) >= 12 && (s.p[5] & 0x1f) <= 29; }

/* Programs that write it have its first line in them. Behind that line a file has an object soon. */
static bool is_pdf_inside(struct str s)
{
        return s.n > 8 && (s.p[5] == '1' || s.p[5] == '2') && s.p[6] == '.' &&
               str_find(str_upto(s, PDF_OBJECT_WITHIN), STR(" obj")) >= 0;
}

static bool is_squashfs_inside(struct str s) /* its version, and the size of its blocks, which is there twice */
{
        struct cursor c = cursor_from(str_from(s, 12));
        uint32_t block = cursor_le32(&c);
        cursor_skip(&c, 6);
        uint16_t log = cursor_le16(&c);
        cursor_skip(&c, 4);
        return log <= 20 && block == 1u << log && cursor_le16(&c) == 4 && cursor_ok(&c);
}

static bool is_nsis_inside(struct str s) /* the lengths of its header, and of all that follows */
{
        struct cursor c = cursor_from(str_from(s, 16));
        uint32_t header = cursor_le32(&c), all = cursor_le32(&c);
        return cursor_ok(&c) && header && header < 1u << 28 && all > 512 && all < 1u << 31;
}

/* A trailer of 512 bytes: flags, where the data is, the number of its segments. */
static bool is_dmg_inside(struct str s)
{
        struct cursor c = cursor_from(str_from(s, 12));
        uint32_t flags = cursor_be32(&c), high[3];
        for (size_t i = 0; i < ARRAY_SIZE(high); i++) { /* running offset, offset and length of the data */
                high[i] = cursor_be32(&c);
                cursor_skip(&c, 4);
        }
        cursor_skip(&c, 16);
        uint32_t segment = cursor_be32(&c), segments = cursor_be32(&c);
        return s.n >= 512 && cursor_ok(&c) && flags < 16 && (high[0] | high[1] | high[2]) < 1u << 16 &&
               segment <= segments && segments <= UINT16_MAX;
}

static bool is_zlib(struct str s) /* RFC 1950 */
{
        uint8_t method = s.n > 8 ? (uint8_t)s.p[0] : 0;
        return (method & 0x8f) == 8 && (method * 256u + (uint8_t)s.p[1]) % 31 == 0 && !(s.p[1] & 0x20);
}

/* Whether the header of a first block can be one (RFC 1951, 3.2.3 to 3.2.7): what most other bytes are not. */
static bool may_be_deflate(struct str s)
{
        struct cursor c = cursor_from(s);
        uint16_t bits = cursor_le16(&c);
        unsigned type = bits >> 1 & 3;
        cursor_seek(&c, 1);
        if (type == 0) { /* stored: its length, and that inverted */
                uint16_t length = cursor_le16(&c);
                return cursor_le16(&c) == (uint16_t)~length && cursor_ok(&c);
        }
        return type == 1 || (type == 2 && (bits >> 3 & 31) <= 29 && (bits >> 8 & 31) <= 29);
}

/* There is no magic number, but hardly anything else can be inflated for long. */
static bool is_deflate(struct str s)
{
        struct inflate_state state;
        char out[DEFLATE_TRIED * 4];
        if (!may_be_deflate(s))
                return false;
        isal_inflate_init(&state);
        state.next_in = (uint8_t *)s.p;
        state.avail_in = (uint32_t)MIN(s.n, (size_t)DEFLATE_TRIED);
        state.next_out = (uint8_t *)out;
        state.avail_out = sizeof(out);
        bool fits = isal_inflate(&state) == ISAL_DECOMP_OK && state.avail_out < sizeof(out) - DEFLATE_MIN;
        return fits && (s.n > DEFLATE_TRIED || state.block_state == ISAL_BLOCK_FINISH || !state.avail_out);
}

static bool is_lha(struct str s) { return s.n > 21 && s.p[6] == '-' && (s.p[4] == 'l' || s.p[4] == 'p'); }

static bool is_tar_at_start(struct str s) { return s.n >= 512; }

/* Its first header (ARJ's TECHNOTE): sizes, the type of a main header, and a checksum. */
static bool is_arj(struct str s)
{
        struct cursor c = cursor_from(str_from(s, 2));
        uint16_t size = cursor_le16(&c);
        struct str header = str_upto(str_from(s, 4), size);
        c = cursor_from(str_from(s, 4u + size));
        uint32_t sum = cursor_le32(&c);
        return size >= 30 && size <= 2600 && cursor_ok(&c) && header.p[6] == 2 &&
               sum == crc32_gzip_refl(0, (const unsigned char *)header.p, header.n);
}

static bool is_compressed_wim(struct str s) /* flags: FLAG_HEADER_COMPRESSION */
{
        struct cursor c = cursor_from(str_from(s, 16));
        return cursor_le32(&c) & 2 && cursor_ok(&c);
}

static bool is_flash(struct str s) /* a version, and a size with content behind it */
{
        struct cursor c = cursor_from(str_from(s, 4));
        uint32_t size = cursor_le32(&c);
        return s.n > 20 && (uint8_t)s.p[3] >= 6 && (uint8_t)s.p[3] <= 60 && size > 21 && size < 1u << 28;
}

static bool is_compressed_vmdk(struct str s) /* flags of a sparse extent: its grains are compressed */
{
        struct cursor c = cursor_from(str_from(s, 8));
        return cursor_le32(&c) & UINT32_C(1) << 16 && cursor_ok(&c);
}

static bool is_compressed_erofs(struct str s) /* feature_incompat: it has compressed files */
{
        struct cursor c = cursor_from(s);
        cursor_seek(&c, 1024 + 80);
        return cursor_le32(&c) & 1 && cursor_ok(&c);
}

/* The first that fits counts. Where a row names no reader, its run needs none. */
const struct unpack_format unpack_formats[] = {
        { .name = "zip",
          .magic = { "PK\3\4", 4 },
          .is_inside = is_zip_inside,
          .may_be_appended = true,
          .covers = COVERS_ZIP,
          .run = unpack_zip },
        { .name = "gzip",
          .magic = { "\x1f\x8b\x08", 3 },
          .is = is_gzip,
          .is_inside = is_gzip_inside,
          .may_be_appended = true,
          .run = unpack_compressed },
        { .name = "xz",
          .magic = { "\xfd"
                     "7zXZ\0",
                     6 },
          .may_be_appended = true,
          .run = unpack_compressed },
        { .name = "bzip2", .magic = { "BZh", 3 }, .is = is_bzip2, .may_be_appended = true, .run = unpack_compressed },
        { .name = "zstd", .magic = { "\x28\xb5\x2f\xfd", 4 }, .may_be_appended = true, .run = unpack_compressed },
        { .name = "tar",
          .magic = { "ustar", 5 },
          .magic_at = 257,
          .is = is_tar_at_start,
          .may_be_appended = true,
          .covers = COVERS_TAR,
          .run = unpack_tar },
        { .name = "7z", .magic = { "7z\xbc\xaf\x27\x1c", 6 }, .may_be_appended = true, .run = unpack_7zip },
        { .name = "rar",
          .magic = { "Rar!\x1a\x07\x00", 7 },
          .may_be_appended = true,
          .run = unpack_archive,
          .reader = archive_read_support_format_rar },
        { .name = "rar 5",
          .magic = { "Rar!\x1a\x07\x01\x00", 8 },
          .may_be_appended = true,
          .run = unpack_archive,
          .reader = archive_read_support_format_rar5 },
        { .name = "cab",
          .magic = { "MSCF\0\0\0\0", 8 },
          .may_be_appended = true,
          .run = unpack_archive,
          .reader = archive_read_support_format_cab },
        { .name = "ar", .magic = { "!<arch>\n", 8 }, .run = unpack_archive, .reader = archive_read_support_format_ar },
        { .name = "cpio",
          .magic = { "07070", 5 },
          .has_tail = true,
          .run = unpack_archive,
          .reader = archive_read_support_format_cpio },
        { .name = "cpio",
          .magic = { "\xc7\x71", 2 },
          .is_shy = true,
          .has_tail = true,
          .run = unpack_archive,
          .reader = archive_read_support_format_cpio },
        { .name = "rpm", .magic = { "\xed\xab\xee\xdb", 4 }, .run = unpack_rpm },
        { .name = "lha",
          .magic = { "-l", 2 },
          .magic_at = 2,
          .is = is_lha,
          .is_shy = true,
          .run = unpack_archive,
          .reader = archive_read_support_format_lha },
        { .name = "xar", .magic = { "xar!", 4 }, .run = unpack_archive, .reader = archive_read_support_format_xar },
        { .name = "ISO 9660",
          .magic = { "CD001", 5 },
          .magic_at = 32769,
          .run = unpack_archive,
          .reader = archive_read_support_format_iso9660 },
        { .name = "lz4",
          .magic = { "\x04\x22\x4d\x18", 4 },
          .is_inside = is_lz4_inside,
          .may_be_appended = true,
          .run = unpack_filtered,
          .reader = archive_read_support_filter_lz4 },
        { .name = "lz4 of kernels",
          .magic = { "\x02\x21\x4c\x18", 4 },
          .is_inside = is_kernels_lz4_inside,
          .may_be_appended = true,
          .run = unpack_filtered,
          .reader = archive_read_support_filter_lz4 },
        { .name = "lzip",
          .magic = { "LZIP", 4 },
          .is_inside = is_lzip,
          .may_be_appended = true,
          .run = unpack_filtered,
          .reader = archive_read_support_filter_lzip },
        { .name = "compress",
          .magic = { "\x1f\x9d\x90", 3 },
          .is_shy = true,
          .may_be_appended = true,
          .run = unpack_filtered,
          .reader = archive_read_support_filter_compress },
        { .name = "compress",
          .magic = { "\x1f\x9d", 2 },
          .is_shy = true,
          .run = unpack_filtered,
          .reader = archive_read_support_filter_compress },
        { .name = "lzma",
          .magic = { "\x5d\x00\x00", 3 },
          .is = is_lzma,
          .is_inside = is_lzma_inside,
          .is_shy = true,
          .may_be_appended = true,
          .run = unpack_filtered,
          .reader = archive_read_support_filter_lzma },
        { .name = "lzma",
          .name_end = ".lzma",
          .is = is_lzma,
          .run = unpack_filtered,
          .reader = archive_read_support_filter_lzma },
        { .name = "squashfs",
          .magic = { "hsqs", 4 },
          .is_inside = is_squashfs_inside,
          .may_be_appended = true,
          .run = unpack_squashfs },
        { .name = "qcow2", .magic = { "QFI\xfb", 4 }, .run = unpack_qcow2 },
        { .name = "compound file",
          .magic = { "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8 },
          .has_tail = true,
          .run = unpack_cfb },
        { .name = "PDF",
          .magic = { "%PDF-", 5 },
          .is_inside = is_pdf_inside,
          .may_be_appended = true,
          .has_tail = true,
          .covers = COVERS_PDF,
          .run = unpack_pdf },
        { .name = "brotli", .name_end = ".br", .run = unpack_brotli },
        { .name = "an EROFS file system whose compressed files are not read",
          .magic = { "\xe2\xe1\xf5\xe0", 4 },
          .magic_at = 1024,
          .is = is_compressed_erofs,
          .run = unpack_refused,
          .why = "unsupported" },
        { .name = "an ARJ archive, which is not read",
          .magic = { "\x60\xea", 2 },
          .is = is_arj,
          .run = unpack_refused,
          .why = "unsupported" },
        { .name = "an installer of NSIS, which is not read",
          .magic = { "\xef\xbe\xad\xde"
                     "NullsoftInst",
                     16 },
          .is_inside = is_nsis_inside,
          .may_be_appended = true,
          .run = unpack_refused,
          .why = "unsupported" },
        { .name = "an lzop file, which is not read",
          .magic = { "\x89LZO\0\r\n\x1a\n", 9 },
          .is_inside = is_lzop_inside,
          .may_be_appended = true,
          .run = unpack_refused,
          .why = "unsupported" },
        { .name = "an rzip file, which is not read",
          .magic = { "RZIP\2", 5 },
          .run = unpack_refused,
          .why = "unsupported" },
        { .name = "an lrzip file, which is not read",
          .magic = { "LRZI", 4 },
          .run = unpack_refused,
          .why = "unsupported" },
        { .name = "a ZPAQ archive, which is not read",
          .magic = { "7kSt", 4 },
          .run = unpack_refused,
          .why = "unsupported" },
        { .name = "a compressed WIM archive, which is not read",
          .magic = { "MSWIM\0\0\0", 8 },
          .is = is_compressed_wim,
          .run = unpack_refused,
          .why = "unsupported" },
        { .name = "a CHM help file, which is not read",
          .magic = { "ITSF\3\0\0\0", 8 },
          .run = unpack_refused,
          .why = "unsupported" },
        { .name = "a VMDK disk of compressed grains, which is not read",
          .magic = { "KDMV", 4 },
          .is = is_compressed_vmdk,
          .run = unpack_refused,
          .why = "unsupported" },
        { .name = "a DMG disk, which is not read",
          .magic = { "koly\0\0\0\4\0\0\2\0", 12 },
          .is_inside = is_dmg_inside,
          .may_be_appended = true,
          .run = unpack_refused,
          .why = "unsupported" },
        { .name = "a cramfs file system, which is not read",
          .magic = { "\x45\x3d\xcd\x28", 4 },
          .run = unpack_refused,
          .why = "unsupported" },
        { .name = "a UBI volume, which is not read",
          .magic = { "UBI#\1\0\0\0", 8 },
          .run = unpack_refused,
          .why = "unsupported" },
        { .name = "a compressed Flash file, which is not read",
          .magic = { "CWS", 3 },
          .is = is_flash,
          .run = unpack_refused,
          .why = "unsupported" },
        { .name = "a compressed Flash file, which is not read",
          .magic = { "ZWS", 3 },
          .is = is_flash,
          .run = unpack_refused,
          .why = "unsupported" },
        { .name = "a volume encrypted with LUKS",
          .magic = { "LUKS\xba\xbe", 6 },
          .run = unpack_refused,
          .why = "encrypted" },
        /* Whatever nothing else fits. Deflated data without a frame is what scripts inflate after base64. */
        { .name = "zlib", .is = is_zlib, .is_shy = true, .run = unpack_zlib },
        { .name = "deflate", .name_starts = "base64@", .is = is_deflate, .is_shy = true, .run = unpack_deflate },
        { .name = NULL },
};

bool unpack_format_fits(const struct unpack_format *f, struct str first, struct str name)
{
        struct str at = str_from(first, f->magic_at), last = str_from(name, (size_t)(str_rfind_char(name, '!') + 1));
        if (f->name_starts && !str_starts(last, str_of(f->name_starts)))
                return false;
        return str_starts(at, f->magic) && (!f->name_end || str_ends(name, str_of(f->name_end))) &&
               (!f->is || f->is(first));
}

const struct unpack_format *unpack_format_of(struct str first, struct str name)
{
        for (const struct unpack_format *f = unpack_formats; f->name; f++)
                if (unpack_format_fits(f, first, name))
                        return f;
        return NULL;
}
