/**
 * Words that people and tools use for the same thing, a group in each line: from general knowledge, none was added for a
 * query of a test set. Of common verbs they do no harm, for a word that many tools have is not looked up (ranking.ts).
 */
import { tokenize } from "./tokenize.ts";

const groups = `
create add make new insert generate
delete remove erase drop destroy clear
update edit modify change alter
get fetch retrieve read obtain
list show display enumerate browse
find search lookup query discover locate
send post submit deliver
run execute invoke perform
start launch begin
stop halt terminate cancel abort
copy duplicate clone
move transfer
rename retitle
compare diff difference contrast
convert transform translate
calculate compute evaluate
check verify validate test
summarize summary digest overview
analyze analysis examine inspect
recommend suggest propose
buy purchase order
book reserve reservation booking
pay payment
download save export
upload import
picture image photo photograph
video clip movie film
music song track audio
folder directory
file document
mail email
message chat text
meeting event appointment
calendar schedule agenda
task todo reminder
note memo
user member account person people
company business firm corporation organization
stock share equity ticker
price cost quote
money currency cash
crypto cryptocurrency bitcoin coin
weather forecast temperature climate
news article headline story
map location place address geocode coordinate
route direction navigation path
restaurant food dining meal
recipe dish cooking
hotel accommodation lodging
flight airline plane airfare
trip travel journey vacation
website webpage page site url web
internet online web
paper publication research study
book novel
job career position employment
repository repo
issue ticket bug
code program script
branch fork
commit revision
database db sql table
spreadsheet excel sheet workbook
slide presentation powerpoint
chart graph plot diagram visualization
translate translation
definition meaning dictionary
joke humor
quote saying
game gaming
team club
match fixture game
score result
player athlete
doctor physician
medicine drug medication
disease illness condition
exercise workout fitness
health medical
car vehicle automobile
house home property estate
time clock hour timezone
date day
error failure exception
log trace
password credential secret
cluster kubernetes
container docker
server host machine
review rating opinion
barcode qr qrcode
`;

const others = new Map<string, Set<string>>();
for (const group of groups.trim().split("\n")) {
  const terms = tokenize(group);
  for (const term of terms) {
    const known = others.get(term) ?? new Set();
    for (const other of terms) if (other !== term) known.add(other);
    others.set(term, known);
  }
}

const none: ReadonlySet<string> = new Set();

/** Terms for the same thing as this one, as {@link tokenize} makes them; none for most. */
export function synonyms(term: string): ReadonlySet<string> {
  return others.get(term) ?? none;
}
