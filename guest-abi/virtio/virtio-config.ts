// The device status handshake and the feature bits that are not of one device alone (linux/virtio_config.h).

/** The driver has seen the device … */
export const VIRTIO_CONFIG_S_ACKNOWLEDGE = 1;
/** … and knows how to drive it … */
export const VIRTIO_CONFIG_S_DRIVER = 2;
/** … and is ready. */
export const VIRTIO_CONFIG_S_DRIVER_OK = 4;
/** Both sides agreed on the features. */
export const VIRTIO_CONFIG_S_FEATURES_OK = 8;
/** The driver gave up. */
export const VIRTIO_CONFIG_S_FAILED = 0x80;

/** Feature bits, by number. */
export const VIRTIO_RING_F_INDIRECT_DESC = 28;
export const VIRTIO_F_VERSION_1 = 32;
