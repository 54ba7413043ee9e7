/** Texts for the shop's refusals, each with what to do about it. */
export default {
  "cure.deposit": "Deposit money",
  "cure.open": "Open an account",
  "cure.again": "Choose something",
  "fault.amount":
    "Write an amount above 0, such as 49.90: at most 12 digits before the point and 2 after it.",
  "fault.userId": "Write 1 to 128 Latin letters, digits or . _ @ | : - and begin with a letter or a digit.",
  "fault.description": "Write at most 500 characters.",
  "reason.insufficient_funds":
    "There was not enough money on the account. Nothing was taken. Deposit some and order again.",
  "reason.account_not_found": "There was no such account, so nothing was taken. Open one and order again.",
  "reason.currency_mismatch":
    "The order and the account have different currencies, so nothing was taken. Please ask the shop's staff.",
  "reason.cancelled_by_user": "The order was cancelled as you asked. Nothing was taken.",
  "reason.expired":
    "The time to pay was over before the order could be paid. Nothing was taken. Order again.",
  "reason.account_frozen": "The account was frozen, so nothing was taken. Please ask the shop's staff.",
  "problem.account_exists": "There is an account of this name already.",
  "problem.account_frozen": "This account is frozen. Please ask the shop's staff.",
  "problem.account_not_found": "There is no such account. Open one first.",
  "problem.balance_limit": "So much does not fit on one account. Deposit less.",
  "problem.body_too_large": "This is too much at once. Shorten the text and try again.",
  "problem.database_unavailable":
    "A part of the shop is away for the moment. Nothing was changed; try again a little later.",
  "problem.expired": "The time to pay is over already. Order again.",
  "problem.forbidden": "You may not do this. If you should, ask the shop's staff.",
  "problem.head_too_large": "This request is too large for the shop. Reload the page and try again.",
  "problem.idempotency_key_reused":
    "This was sent before with other values. Reload the page and look at what happened.",
  "problem.insufficient_funds": "There is not enough money on your account. Nothing was taken.",
  "problem.internal_error":
    "Something went wrong in the shop. Try again; if it stays, tell the shop's staff.",
  "problem.invalid_request": "The shop cannot read this. Look at what you wrote and try again.",
  "problem.method_not_allowed": "The shop cannot do this here. Reload the page and try again.",
  "problem.no_provider": "There is no provider to sign in with.",
  "problem.not_found": "There is nothing here.",
  "problem.not_ready": "The shop is about to start. Try again in a moment.",
  "problem.open_mode": "Nobody has to sign in here. Reload the page.",
  "problem.order_cancelled": "This order is cancelled already. Nothing was taken.",
  "problem.order_not_found": "There is no such order among yours.",
  "problem.order_refunded": "This order is refunded already. The money is on your account.",
  "problem.outcome_unknown":
    "It is not known yet whether this was done. Send it again: it happens once at most.",
  "problem.overloaded": "The shop is full for the moment. Nothing was changed; try again a little later.",
  "problem.rate_limited": "These were too many requests. Wait a moment and try again.",
  "problem.request_timeout": "The request did not come through in time. Try again.",
  "problem.session_too_large": "This token is too large for a session. Use one with fewer claims.",
  "problem.sign_in_failed": "Signing in did not work. Begin again.",
  "problem.stopping": "The shop is about to restart. Try again in a moment.",
  "problem.too_many_streams": "Too many windows watch orders at once. Close some of them.",
  "problem.unauthorized": "The shop does not know who you are. Sign in again.",
  "problem.unavailable":
    "A part of the shop is away for the moment. Nothing was changed; try again a little later.",
  "problem.unsupported_media_type": "The shop cannot read this. Reload the page and try again.",
};
