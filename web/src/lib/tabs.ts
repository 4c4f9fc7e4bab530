/** Tells the other tabs of this browser that somebody logged out. */
const CHANNEL = "brokle.session";

/** One for both directions: a channel does not hear itself, but it would hear a second one of the same page. */
let channel: BroadcastChannel | null = null;

function sessionChannel(): BroadcastChannel {
  channel ??= new BroadcastChannel(CHANNEL);
  return channel;
}

export function announceLogout(): void {
  sessionChannel().postMessage("logout");
}

export function onOtherTabLogout(listener: () => void): void {
  sessionChannel().addEventListener("message", listener);
}
