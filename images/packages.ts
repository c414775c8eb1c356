/** Programs that build the image, by the distribution's package manager. `genisoimage` makes the guests' config drives. */
export const imagePackages = {
  apt: ['dpkg', 'e2fsprogs', 'mtools', 'dosfstools', 'syslinux', 'syslinux-common', 'qemu-utils', 'genisoimage'],
  // Not tried: dpkg and syslinux are in EPEL and Fedora. The guest itself is made of Debian's packages there too.
  dnf: ['dpkg', 'e2fsprogs', 'mtools', 'dosfstools', 'syslinux', 'qemu-img', 'genisoimage'],
} as const

/** Names the newest kernel for virtual machines by depending on it. */
export const kernelMetaPackage = 'linux-image-cloud-amd64'

/** What the guest is made of beside its kernel: downloaded, never installed. */
export const guestPackages = [
  'busybox-static',
  'dropbear-bin',
  'libtomcrypt1',
  'libtommath1',
  'libgmp10',
  'libc6',
  'libcrypt1',
  'zlib1g',
  'e2fsprogs',
  'libext2fs2',
  'libcom-err2',
] as const

/** Kernel modules the guest needs at once; those they depend on come by themselves. */
export const modules = [
  'virtio_pci',
  'virtio_blk',
  'virtio_net',
  // The ACPI power button.
  'button',
  'evdev',
  'virtio_scsi',
  'sd_mod',
  // Config drives.
  'isofs',
  'vfat',
  'nls_cp437',
  'nls_iso8859-1',
  'nls_ascii',
  'nls_utf8',
  'virtio-rng',
] as const
