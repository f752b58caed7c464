/** Numbers that vouch for themselves: a number drawn at random passes one time in 10 to 97, and has its form besides. */

const zero = 0x30;

/** ISO/IEC 7812-1 annex B: cards, and personal numbers of Sweden. */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let at = digits.length - 1, isDouble = false; at >= 0; at--, isDouble = !isDouble) {
    const digit = digits.charCodeAt(at) - zero;
    sum += isDouble ? (digit > 4 ? 2 * digit - 9 : 2 * digit) : digit;
  }
  return sum % 10 === 0;
}

/** By the ranges that issuers have, each with its length; the ids of other systems have as many digits. */
export function isPaymentCard(digits: string): boolean {
  const issuer =
    /^(?:4\d{15}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|6(?:011|4[4-9]\d|5\d\d)\d{12}|62\d{14})$/;
  return issuer.test(digits) && passesLuhn(digits);
}

/** ISO 13616-1: letters count as 10 to 35, the first four characters go last. */
export function isIban(text: string): boolean {
  let rest = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = Number.parseInt(text[(at + 4) % text.length] as string, 36);
    rest = (rest * (digit > 9 ? 100 : 10) + digit) % 97;
  }
  return rest === 1;
}

/** Brazil: two check digits, each of those before it. */
export function isCpf(digits: string): boolean {
  if (/^(\d)\1*$/.test(digits)) return false;
  for (const length of [9, 10]) {
    let sum = 0;
    for (let at = 0; at < length; at++) sum += (digits.charCodeAt(at) - zero) * (length + 1 - at);
    if (((sum * 10) % 11) % 10 !== digits.charCodeAt(length) - zero) return false;
  }
  return true;
}

/** Spain: the letter follows from the number. */
export function isDni(text: string): boolean {
  return "TRWAGMYFPDXBNJZSQVHLCKE"[Number(text.slice(0, 8)) % 23] === text.at(-1);
}

/** Finland: a day of birth, and a letter that follows from all digits. */
export function isHetu(text: string): boolean {
  const number = Number(text.slice(0, 6) + text.slice(7, 10));
  return isDay(text.slice(0, 2), text.slice(2, 4)) && "0123456789ABCDEFHJKLMNPRSTUVWXY"[number % 31] === text.at(-1);
}

/** Sweden: a day of birth, and a check digit. */
export function isPersonnummer(digits: string): boolean {
  return isDay(digits.slice(4, 6), digits.slice(2, 4)) && passesLuhn(digits);
}

/** France: the last two digits follow from the 13 before. */
export function isNir(digits: string): boolean {
  return 97 - (Number(digits.slice(0, 13)) % 97) === Number(digits.slice(13));
}

/** China: a day of birth, and a check character that follows from all digits (ISO 7064 MOD 11-2). */
export function isResidentId(text: string): boolean {
  let rest = 0;
  for (const character of text.slice(0, 17)) rest = ((rest + Number(character)) * 2) % 11;
  return (
    isDay(text.slice(12, 14), text.slice(10, 12)) && (12 - rest) % 11 === (text[17] === "X" ? 10 : Number(text[17]))
  );
}

function isDay(day: string, month: string): boolean {
  return Number(day) >= 1 && Number(day) <= 31 && Number(month) >= 1 && Number(month) <= 12;
}
