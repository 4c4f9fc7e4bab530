/** Tells the other tabs of this browser that somebody logged out. */
const CHANNEL = "brokle.session";

export function announceLogout(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage("logout");
  channel.close();
}

export function onOtherTabLogout(listener: () => void): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener("message", listener);
}
