/**
 * The lane: keeps the order of one direction while some frames wait for a decision.
 *
 * A frame takes its place when it arrives and leaves when all before it have left. What must not
 * wait (pings, answers) does not enter.
 * @module
 */

export interface Slot {
  /** Gives the frame free; undefined when it is not forwarded. `onSent` runs when it is written. */
  release(line: Buffer | undefined, onSent?: () => void): void
}

export interface Lane {
  /** Frames that took a place and have not left. */
  readonly length: number
  hold(): Slot
  /** A frame that needs no decision, behind those that wait. */
  push(line: Buffer, onSent?: () => void): void
}

interface Place {
  ready: boolean
  line: Buffer | undefined
  onSent: (() => void) | undefined
}

/** A lane that writes with `write`; `onMove` runs after places became free. */
export function createLane(write: (line: Buffer) => void, onMove: () => void): Lane {
  let places: Place[] = []
  let head = 0

  function leave(): void {
    for (let place = places[head]; place?.ready; place = places[head]) {
      head++
      if (place.line === undefined) continue
      write(place.line)
      place.onSent?.()
    }
    if (head === places.length || head > 1024) {
      places = places.slice(head)
      head = 0
    }
    onMove()
  }

  function enter(): Place {
    const place: Place = { ready: false, line: undefined, onSent: undefined }
    places.push(place)
    return place
  }

  function settle(place: Place, line: Buffer | undefined, onSent: (() => void) | undefined): void {
    if (place.ready) return
    place.ready = true
    place.line = line
    place.onSent = onSent
    if (place === places[head]) leave()
  }

  return {
    get length() {
      return places.length - head
    },
    hold() {
      const place = enter()
      return { release: (line, onSent) => settle(place, line, onSent) }
    },
    push(line, onSent) {
      if (places.length > head) return settle(enter(), line, onSent)
      write(line)
      onSent?.()
    },
  }
}
