/**
 * MessagePack: msgpackr, as a module instance of this package's own. Its registry of extensions is one for each instance, so that what a
 * service registers with its msgpackr is nothing to stored payloads, and ours is nothing to the service. The build puts a copy in the place of
 * this file's output (`build/private-msgpackr.mjs`).
 * Thread: any. In → out: value ⇄ bytes.
 */
export { addExtension, Packr } from 'msgpackr';
