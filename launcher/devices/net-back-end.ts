// The other end of a network card's cable.

/**
 * Takes frames from the card and hands frames to it. Ethernet frames begin with the destination and have no checksum.
 * A program that wants to be the other end gives an object like this to `net({ backEnd })`.
 */
export interface NetBackEnd {
  /** Offloads it can do: numbers of VIRTIO_NET_F_… bits. None, if missing. */
  readonly features?: readonly number[];
  /**
   * A frame from the Guest. `header` is its virtio_net_hdr_v1, of interest to a back end with offloads. Both are valid
   * during the call only.
   */
  send(frame: Uint8Array, header: Uint8Array): void;
  /** Set by the card: takes a frame for the Guest. Frames that do not fit are dropped, as on any network. */
  onReceive: ((frame: Uint8Array, header?: Uint8Array) => void) | undefined;
  /** The card has gone. If the Guest restarts there will be another one, that sets `onReceive` again. */
  close(): void;
}

/** A cable that ends nowhere. Drops frames and counts them. */
export class LooseEnd implements NetBackEnd {
  onReceive: NetBackEnd['onReceive'];
  dropped = 0;

  send(): void {
    this.dropped++;
  }

  close(): void {
    this.onReceive = undefined;
  }
}
