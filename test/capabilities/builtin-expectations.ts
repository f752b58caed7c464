/**
 * What every built-in capability must send, written down from the documentation of its API and not from its file, so
 * that a typo there is found. Variables have the value `NAME-value`, logins the token `google-token`.
 */
import type { JsonObject } from "../../src/lib/json.ts";

/** Arguments, request line, and the body where there is one: JSON, or text as it is sent. */
export type Expectation = readonly [args: JsonObject, request: string, body?: JsonObject | string];

const helsinki = { latitude: 60.17, longitude: 24.94 };
const at = "latitude=60.17&longitude=24.94";
const daily =
  "weather_code%2Ctemperature_2m_max%2Ctemperature_2m_min%2Cprecipitation_sum%2Cprecipitation_probability_max%2Cwind_speed_10m_max%2Csunrise%2Csunset";

const open: Readonly<Record<string, Expectation>> = {
  weather_current: [
    { ...helsinki, current: "temperature_2m" },
    `GET https://api.open-meteo.com/v1/forecast?${at}&current=temperature_2m&temperature_unit=celsius&wind_speed_unit=kmh&timezone=auto`,
  ],
  weather_forecast: [
    { ...helsinki, days: 3 },
    `GET https://api.open-meteo.com/v1/forecast?${at}&daily=${daily}&forecast_days=3&temperature_unit=celsius&wind_speed_unit=kmh&timezone=auto`,
  ],
  weather_history: [
    { ...helsinki, start_date: "2020-01-01", end_date: "2020-01-02" },
    `GET https://archive-api.open-meteo.com/v1/archive?${at}&start_date=2020-01-01&end_date=2020-01-02&daily=temperature_2m_max%2Ctemperature_2m_min%2Ctemperature_2m_mean%2Cprecipitation_sum%2Cwind_speed_10m_max&timezone=auto`,
  ],
  air_quality: [
    helsinki,
    `GET https://air-quality-api.open-meteo.com/v1/air-quality?${at}&current=european_aqi%2Cus_aqi%2Cpm10%2Cpm2_5%2Ccarbon_monoxide%2Cnitrogen_dioxide%2Cozone&timezone=auto`,
  ],
  public_holidays: [{ year: 2026, country_code: "FI" }, "GET https://date.nager.at/api/v3/PublicHolidays/2026/FI"],
  geocode_place: [
    { name: "Oulu", count: 1, country_code: "FI" },
    "GET https://geocoding-api.open-meteo.com/v1/search?name=Oulu&count=1&language=en&countryCode=FI&format=json",
  ],
  search_address: [
    { query: "10 Downing Street" },
    "GET https://nominatim.openstreetmap.org/search?q=10%20Downing%20Street&format=jsonv2&addressdetails=1&limit=5",
  ],
  reverse_geocode: [
    helsinki,
    "GET https://nominatim.openstreetmap.org/reverse?lat=60.17&lon=24.94&zoom=18&format=jsonv2",
  ],
  sunrise_sunset: [
    helsinki,
    "GET https://api.sunrise-sunset.org/json?lat=60.17&lng=24.94&date=today&tzid=UTC&formatted=0",
  ],
  earthquakes: [
    { start_time: "2026-01-01", ...helsinki, max_radius_km: 100 },
    `GET https://earthquake.usgs.gov/fdsnws/event/1/query?format=geojson&starttime=2026-01-01&minmagnitude=4.5&${at}&maxradiuskm=100&limit=20&orderby=time`,
  ],
  ip_location: [{ ip: "2001:4860:4860::8888" }, "GET https://ipapi.co/2001%3A4860%3A4860%3A%3A8888/json/"],
  country_info: [{ country_code: "FI" }, "GET https://api.worldbank.org/v2/country/FI?format=json"],
  world_bank_indicator: [
    { country_code: "FI", indicator: "SP.POP.TOTL", years: "2015:2024" },
    "GET https://api.worldbank.org/v2/country/FI/indicator/SP.POP.TOTL?format=json&date=2015%3A2024&per_page=50",
  ],
  wikipedia_summary: [
    { title: "Alan Turing", language: "fi" },
    "GET https://fi.wikipedia.org/api/rest_v1/page/summary/Alan%20Turing",
  ],
  wikipedia_search: [
    { query: "turing" },
    "GET https://en.wikipedia.org/w/api.php?action=query&list=search&srsearch=turing&srlimit=10&format=json&formatversion=2",
  ],
  wikipedia_article: [
    { title: "Turing" },
    "GET https://en.wikipedia.org/w/api.php?action=query&prop=extracts&explaintext=1&redirects=1&titles=Turing&format=json&formatversion=2",
  ],
  wikidata_query: [
    { query: "SELECT ?a {}" },
    "GET https://query.wikidata.org/sparql?query=SELECT%20%3Fa%20%7B%7D&format=json",
  ],
  dictionary_definition: [{ word: "house" }, "GET https://api.dictionaryapi.dev/api/v2/entries/en/house"],
  arxiv_search: [
    { query: "ti:transformer" },
    "GET https://export.arxiv.org/api/query?search_query=ti%3Atransformer&start=0&max_results=10&sortBy=relevance&sortOrder=descending",
  ],
  semantic_scholar: [
    { query: "llm", year: "2020-2024" },
    "GET https://api.semanticscholar.org/graph/v1/paper/search?query=llm&limit=10&offset=0&year=2020-2024&fields=title%2Cabstract%2Cauthors%2Cyear%2Cvenue%2CcitationCount%2CopenAccessPdf%2Curl",
  ],
  crossref_search: [
    { query: "dna" },
    "GET https://api.crossref.org/works?query=dna&rows=10&select=DOI%2Ctitle%2Cauthor%2Ccontainer-title%2Cissued%2Ctype%2CURL",
  ],
  doi_lookup: [{ doi: "10.1038/nature12373" }, "GET https://api.crossref.org/works/10.1038%2Fnature12373"],
  pubmed_search: [
    { query: "asthma" },
    "GET https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esearch.fcgi?db=pubmed&term=asthma&retmax=20&sort=relevance&retmode=json",
  ],
  pubmed_summary: [
    { ids: "1,2" },
    "GET https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esummary.fcgi?db=pubmed&id=1%2C2&retmode=json",
  ],
  chemical_compound: [
    { name: "aspirin" },
    "GET https://pubchem.ncbi.nlm.nih.gov/rest/pug/compound/name/aspirin/property/MolecularFormula,MolecularWeight,IUPACName,InChIKey/JSON",
  ],
  open_library_search: [
    { query: "dune" },
    "GET https://openlibrary.org/search.json?q=dune&limit=10&page=1&fields=key%2Ctitle%2Cauthor_name%2Cfirst_publish_year%2Cedition_count%2Cisbn",
  ],
  hackernews_top: [{}, "GET https://hacker-news.firebaseio.com/v0/topstories.json"],
  hackernews_ask: [{}, "GET https://hacker-news.firebaseio.com/v0/askstories.json"],
  hackernews_show: [{}, "GET https://hacker-news.firebaseio.com/v0/showstories.json"],
  hackernews_get_item: [{ id: 8863 }, "GET https://hacker-news.firebaseio.com/v0/item/8863.json"],
  hackernews_user: [{ username: "pg" }, "GET https://hacker-news.firebaseio.com/v0/user/pg.json"],
  hackernews_search: [
    { query: "mcp" },
    "GET https://hn.algolia.com/api/v1/search?query=mcp&tags=story&hitsPerPage=20&page=0",
  ],
  stackoverflow_search: [
    { query: "bun", tagged: "node;bun" },
    "GET https://api.stackexchange.com/2.3/search/advanced?q=bun&tagged=node%3Bbun&site=stackoverflow&pagesize=10&order=desc&sort=relevance",
  ],
  internet_archive_search: [
    { query: "dune" },
    "GET https://archive.org/advancedsearch.php?q=dune&fl%5B%5D=identifier&fl%5B%5D=title&fl%5B%5D=creator&fl%5B%5D=date&fl%5B%5D=mediatype&fl%5B%5D=description&rows=20&page=1&output=json",
  ],
  internet_archive_metadata: [{ identifier: "nasa" }, "GET https://archive.org/metadata/nasa"],
  wayback_availability: [
    { url: "example.com", timestamp: "2010" },
    "GET https://archive.org/wayback/available?url=example.com&timestamp=2010",
  ],
  wayback_cdx: [
    { url: "example.com/*" },
    "GET https://web.archive.org/cdx/search/cdx?url=example.com%2F*&limit=50&output=json&fl=timestamp%2Coriginal%2Cstatuscode%2Cmimetype%2Cdigest",
  ],
  pypi_package: [{ name: "requests" }, "GET https://pypi.org/pypi/requests/json"],
  npm_package: [{ name: "@types/node" }, "GET https://registry.npmjs.org/%40types%2Fnode/latest"],
  npm_search: [{ query: "mcp" }, "GET https://registry.npmjs.org/-/v1/search?text=mcp&size=10"],
  crates_package: [{ name: "serde" }, "GET https://crates.io/api/v1/crates/serde"],
  space_news: [{ search: "moon" }, "GET https://api.spaceflightnewsapi.net/v4/articles/?search=moon&limit=10&offset=0"],
  musicbrainz_search: [{ query: "abba" }, "GET https://musicbrainz.org/ws/2/artist?query=abba&limit=10&fmt=json"],
  random_joke: [{}, "GET https://v2.jokeapi.dev/joke/Any?safe-mode&lang=en"],
  random_quote: [{}, "GET https://zenquotes.io/api/random"],
  trivia_question: [{ category: 17 }, "GET https://opentdb.com/api.php?amount=5&category=17"],
  tv_show_search: [{ query: "lost" }, "GET https://api.tvmaze.com/search/shows?q=lost"],
  tv_schedule: [{ date: "2026-01-01" }, "GET https://api.tvmaze.com/schedule?country=US&date=2026-01-01"],
  itunes_search: [{ term: "abba" }, "GET https://itunes.apple.com/search?term=abba&media=all&country=US&limit=10"],
  artwork_search: [
    { query: "monet" },
    "GET https://api.artic.edu/api/v1/artworks/search?q=monet&limit=10&fields=id%2Ctitle%2Cartist_display%2Cdate_display%2Cmedium_display%2Cimage_id",
  ],
  openfoodfacts_product: [
    { barcode: "3017620422003" },
    "GET https://world.openfoodfacts.org/api/v2/product/3017620422003.json?fields=code%2Cproduct_name%2Cbrands%2Cquantity%2Cingredients_text%2Callergens%2Cnutriments%2Cnutriscore_grade%2Cnova_group%2Ccategories",
  ],
  recipe_search: [{ name: "Arrabiata" }, "GET https://www.themealdb.com/api/json/v1/1/search.php?s=Arrabiata"],
  cocktail_search: [{ name: "mojito" }, "GET https://www.thecocktaildb.com/api/json/v1/1/search.php?s=mojito"],
  ecb_exchange_rates: [{}, "GET https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml"],
  currency_rates: [
    { base: "USD", symbols: "EUR,SEK" },
    "GET https://api.frankfurter.dev/v1/latest?base=USD&symbols=EUR%2CSEK",
  ],
  crypto_price: [
    { ids: "bitcoin" },
    "GET https://api.coingecko.com/api/v3/simple/price?ids=bitcoin&vs_currencies=usd&include_market_cap=true&include_24hr_change=true&include_last_updated_at=true",
  ],
  yahoo_stock_quote: [
    { symbol: "^GSPC" },
    "GET https://query1.finance.yahoo.com/v8/finance/chart/%5EGSPC?range=5d&interval=1d",
  ],
  prh_company: [
    { name: "Nokia", business_id: "0112038-9" },
    "GET https://avoindata.prh.fi/opendata-ytj-api/v3/companies?name=Nokia&businessId=0112038-9&page=1",
  ],
  jsonrpc_eth_block_number: [
    {},
    "POST https://ethereum-rpc.publicnode.com/",
    { jsonrpc: "2.0", method: "eth_blockNumber", params: [] },
  ],
  ethereum_balance: [
    { address: "0xab" },
    "POST https://ethereum-rpc.publicnode.com/",
    { jsonrpc: "2.0", method: "eth_getBalance", params: ["0xab", "latest"] },
  ],
  random_user: [{ gender: "female" }, "GET https://randomuser.me/api/?results=1&gender=female&noinfo=true"],
  uuid_generate: [{ count: 2 }, "GET https://www.uuidtools.com/api/generate/v4/count/2"],
  dns_lookup: [{ name: "example.com" }, "GET https://dns.google/resolve?name=example.com&type=A"],
  domain_registration: [{ domain: "example.com" }, "GET https://rdap.org/domain/example.com"],
  qr_code: [
    { data: "https://a.b" },
    "GET https://api.qrserver.com/v1/create-qr-code/?data=https%3A%2F%2Fa.b&size=300x300&format=png",
  ],
};

const repo = { owner: "o", repo: "r" };
const withKey: Readonly<Record<string, Expectation>> = {
  github_get_repo: [repo, "GET https://api.github.com/repos/o/r"],
  github_search_repos: [
    { query: "mcp stars:>5" },
    "GET https://api.github.com/search/repositories?q=mcp%20stars%3A%3E5&sort=stars&per_page=10&page=1",
  ],
  github_get_release: [repo, "GET https://api.github.com/repos/o/r/releases/latest"],
  github_user: [{ username: "octocat" }, "GET https://api.github.com/users/octocat"],
  github_list_issues: [
    { ...repo, labels: "bug,p1" },
    "GET https://api.github.com/repos/o/r/issues?state=open&labels=bug%2Cp1&per_page=20&page=1",
  ],
  github_get_issue: [{ ...repo, number: 7 }, "GET https://api.github.com/repos/o/r/issues/7"],
  github_read_file: [
    { ...repo, path: "README.md", ref: "v1" },
    "GET https://api.github.com/repos/o/r/contents/README.md?ref=v1",
  ],
  github_graphql_viewer: [{}, "POST https://api.github.com/graphql", { variables: { first: 5 } }],
  github_create_issue: [
    { ...repo, title: "t", labels: ["bug"] },
    "POST https://api.github.com/repos/o/r/issues",
    { title: "t", labels: ["bug"] },
  ],
  github_create_pr: [
    { ...repo, title: "t", head: "f" },
    "POST https://api.github.com/repos/o/r/pulls",
    { title: "t", head: "f", base: "main", draft: false },
  ],
  github_comment_issue: [
    { ...repo, number: 7, body: "b" },
    "POST https://api.github.com/repos/o/r/issues/7/comments",
    { body: "b" },
  ],
  wayback_save: [{ url: "http://a.b" }, "POST https://web.archive.org/save", "url=http%3A%2F%2Fa.b"],
  wolfram_llm_query: [
    { query: "2+2" },
    "GET https://www.wolframalpha.com/api/v1/llm-api?input=2%2B2&maxchars=4000&appid=WOLFRAM_APPID-value",
  ],
  gemini_embedding: [
    { text: "hello" },
    "POST https://generativelanguage.googleapis.com/v1beta/models/gemini-embedding-001:embedContent",
    {
      model: "models/gemini-embedding-001",
      content: { parts: [{ text: "hello" }] },
      taskType: "RETRIEVAL_DOCUMENT",
      outputDimensionality: 768,
    },
  ],
  nasa_apod: [
    { date: "2026-01-01" },
    "GET https://api.nasa.gov/planetary/apod?date=2026-01-01&api_key=NASA_API_KEY-value",
  ],
  stripe_list_charges: [{ customer: "cus_1" }, "GET https://api.stripe.com/v1/charges?limit=10&customer=cus_1"],
  stripe_balance: [{}, "GET https://api.stripe.com/v1/balance"],
  stripe_create_payment_intent: [
    { amount: 500, currency: "eur", description: "a & b" },
    "POST https://api.stripe.com/v1/payment_intents",
    "amount=500&currency=eur&description=a+%26+b&automatic_payment_methods%5Benabled%5D=true",
  ],
  notion_search: [
    { query: "plan" },
    "POST https://api.notion.com/v1/search",
    { query: "plan", page_size: 10, sort: { direction: "descending", timestamp: "last_edited_time" } },
  ],
  notion_create_page: [
    { parent_page_id: "p", title: "T", text: "x" },
    "POST https://api.notion.com/v1/pages",
    {
      parent: { page_id: "p" },
      properties: { title: { title: [{ text: { content: "T" } }] } },
      children: [
        { object: "block", type: "paragraph", paragraph: { rich_text: [{ type: "text", text: { content: "x" } }] } },
      ],
    },
  ],
  notion_get_page_content: [{ block_id: "b" }, "GET https://api.notion.com/v1/blocks/b/children?page_size=50"],
  jira_search: [
    { jql: "project = A" },
    "GET https://JIRA_HOST-value/rest/api/3/search/jql?jql=project%20%3D%20A&maxResults=20&fields=summary%2Cstatus%2Cassignee%2Cpriority%2Cupdated",
  ],
  jira_get_issue: [
    { key: "A-1" },
    "GET https://JIRA_HOST-value/rest/api/3/issue/A-1?fields=summary%2Cdescription%2Cstatus%2Cassignee%2Creporter%2Cpriority%2Clabels%2Ccreated%2Cupdated%2Ccomment",
  ],
  confluence_search: [
    { cql: "type=page" },
    "GET https://CONFLUENCE_HOST-value/wiki/rest/api/search?cql=type%3Dpage&limit=20",
  ],
  salesforce_query: [
    { soql: "SELECT Id FROM A" },
    "GET https://SALESFORCE_HOST-value/services/data/v60.0/query?q=SELECT%20Id%20FROM%20A",
  ],
  box_extract: [
    { file_id: "1", prompt: "who" },
    "POST https://api.box.com/2.0/ai/extract",
    { prompt: "who", items: [{ type: "file", id: "1" }] },
  ],
  todoist_list_tasks: [
    { filter: "today | overdue" },
    "GET https://api.todoist.com/api/v1/tasks/filter?query=today%20%7C%20overdue&limit=50",
  ],
  todoist_add_task: [
    { content: "buy", priority: 4 },
    "POST https://api.todoist.com/api/v1/tasks",
    { content: "buy", priority: 4 },
  ],
  slack_post_message: [
    { channel: "C1", text: "hi" },
    "POST https://slack.com/api/chat.postMessage",
    { channel: "C1", text: "hi" },
  ],
  slack_list_channels: [
    {},
    "GET https://slack.com/api/conversations.list?limit=100&exclude_archived=true&types=public_channel",
  ],
  slack_read_channel: [{ channel: "C1" }, "GET https://slack.com/api/conversations.history?channel=C1&limit=20"],
  discord_send_message: [
    { channel_id: "1", content: "hi" },
    "POST https://discord.com/api/v10/channels/1/messages",
    { content: "hi" },
  ],
  telegram_send_message: [
    { chat_id: "1", text: "hi" },
    "POST https://api.telegram.org/botTELEGRAM_BOT_TOKEN-value/sendMessage",
    { chat_id: "1", text: "hi" },
  ],
  cloudflare_list_zones: [{}, "GET https://api.cloudflare.com/client/v4/zones?per_page=20&page=1"],
  cloudflare_list_dns_records: [
    { zone_id: "z", type: "A" },
    "GET https://api.cloudflare.com/client/v4/zones/z/dns_records?type=A&per_page=100",
  ],
  cloudflare_purge_cache: [
    { zone_id: "z", files: ["https://a.b/c"] },
    "POST https://api.cloudflare.com/client/v4/zones/z/purge_cache",
    { files: ["https://a.b/c"] },
  ],
  audio_tts: [
    { input: "hello" },
    "POST https://api.openai.com/v1/audio/speech",
    { model: "tts-1", input: "hello", voice: "alloy", speed: 1, response_format: "mp3" },
  ],
  image_to_text: [
    { url: "http://a.b/c.png" },
    "GET https://api.ocr.space/parse/imageurl?url=http%3A%2F%2Fa.b%2Fc.png&language=eng&apikey=OCR_SPACE_API_KEY-value",
  ],
  screenshot_url: [
    { url: "http://a.b" },
    "GET https://shot.screenshotapi.net/v3/screenshot?url=http%3A%2F%2Fa.b&full_page=false&width=1280&height=800&output=image&file_type=png&token=SCREENSHOT_API_KEY-value",
  ],
  video_agent_create: [{ prompt: "p" }, "POST https://api.heygen.com/v3/video-agents", { prompt: "p" }],
  video_create: [
    { avatar_id: "a", voice_id: "v", script: "s" },
    "POST https://api.heygen.com/v3/videos",
    { type: "avatar", avatar_id: "a", voice_id: "v", script: "s", aspect_ratio: "16:9", resolution: "1080p" },
  ],
  video_get: [{ video_id: "v" }, "GET https://api.heygen.com/v3/videos/v"],
  brave_web_search: [{ query: "mcp" }, "GET https://api.search.brave.com/res/v1/web/search?q=mcp&count=10"],
  tavily_search: [
    { query: "mcp" },
    "POST https://api.tavily.com/search",
    { query: "mcp", max_results: 5, topic: "general", include_answer: true },
  ],
  youtube_search: [
    { query: "mcp" },
    "GET https://www.googleapis.com/youtube/v3/search?part=snippet&q=mcp&type=video&maxResults=10&order=relevance&key=GOOGLE_API_KEY-value",
  ],
  youtube_video_details: [
    { ids: "a,b" },
    "GET https://www.googleapis.com/youtube/v3/videos?part=snippet%2CcontentDetails%2Cstatistics&id=a%2Cb&key=GOOGLE_API_KEY-value",
  ],
  youtube_channel_uploads: [
    { channel_id: "UC1" },
    "GET https://www.googleapis.com/youtube/v3/activities?part=snippet%2CcontentDetails&channelId=UC1&maxResults=20&key=GOOGLE_API_KEY-value",
  ],
};

const calendar = "https://www.googleapis.com/calendar/v3";
const gmail = "https://gmail.googleapis.com/gmail/v1/users/me";
const withLogin: Readonly<Record<string, Expectation>> = {
  calendar_list_events: [
    { time_min: "2026-06-01T00:00:00Z", query: "standup" },
    `GET ${calendar}/calendars/primary/events?timeMin=2026-06-01T00%3A00%3A00Z&q=standup&maxResults=25&singleEvents=true&orderBy=startTime`,
  ],
  calendar_create_event: [
    { summary: "s", start: "2026-06-01T09:00:00Z", end: "2026-06-01T10:00:00Z", attendees: [{ email: "a@b.c" }] },
    `POST ${calendar}/calendars/primary/events`,
    {
      summary: "s",
      start: { dateTime: "2026-06-01T09:00:00Z" },
      end: { dateTime: "2026-06-01T10:00:00Z" },
      attendees: [{ email: "a@b.c" }],
    },
  ],
  calendar_free_slots: [
    { time_min: "a", time_max: "b" },
    `POST ${calendar}/freeBusy`,
    { timeMin: "a", timeMax: "b", timeZone: "UTC", items: [{ id: "primary" }] },
  ],
  contacts_list: [
    {},
    "GET https://people.googleapis.com/v1/people/me/connections?personFields=names%2CemailAddresses%2CphoneNumbers%2Corganizations&pageSize=100",
  ],
  contacts_search: [
    { query: "an" },
    "GET https://people.googleapis.com/v1/people:searchContacts?query=an&readMask=names%2CemailAddresses%2CphoneNumbers%2Corganizations&pageSize=10",
  ],
  drive_list: [
    { query: "name contains 'a'" },
    "GET https://www.googleapis.com/drive/v3/files?q=name%20contains%20%27a%27&pageSize=20&orderBy=modifiedTime%20desc&fields=nextPageToken%2Cfiles(id%2Cname%2CmimeType%2Csize%2CmodifiedTime%2CwebViewLink)",
  ],
  drive_download: [{ file_id: "f" }, "GET https://www.googleapis.com/drive/v3/files/f?alt=media"],
  drive_export: [{ file_id: "f" }, "GET https://www.googleapis.com/drive/v3/files/f/export?mimeType=text%2Fplain"],
  gmail_search: [{ query: "is:unread" }, `GET ${gmail}/messages?q=is%3Aunread&maxResults=20`],
  gmail_get_message: [{ id: "1" }, `GET ${gmail}/messages/1?format=full`],
  gmail_get_attachment: [{ message_id: "1", attachment_id: "2" }, `GET ${gmail}/messages/1/attachments/2`],
  gmail_labels: [{}, `GET ${gmail}/labels`],
  gmail_modify: [
    { id: "1", remove_label_ids: ["UNREAD"] },
    `POST ${gmail}/messages/1/modify`,
    { removeLabelIds: ["UNREAD"] },
  ],
  gmail_batch_modify: [
    { ids: ["1"], add_label_ids: ["L"] },
    `POST ${gmail}/messages/batchModify`,
    { ids: ["1"], addLabelIds: ["L"] },
  ],
  gmail_profile: [{}, `GET ${gmail}/profile`],
  gmail_send_email: [
    { message: "To: a@b.c\n\nhi é" },
    "POST https://gmail.googleapis.com/upload/gmail/v1/users/me/messages/send?uploadType=media",
    "To: a@b.c\n\nhi é",
  ],
  sheets_read_range: [
    { spreadsheet_id: "s", range: "A!A1:B2" },
    "GET https://sheets.googleapis.com/v4/spreadsheets/s/values/A!A1%3AB2",
  ],
  sheets_append_rows: [
    { spreadsheet_id: "s", range: "A!A1", values: [["x", 1]] },
    "POST https://sheets.googleapis.com/v4/spreadsheets/s/values/A!A1:append?valueInputOption=USER_ENTERED",
    { values: [["x", 1]] },
  ],
  tasks_list: [
    {},
    "GET https://tasks.googleapis.com/tasks/v1/lists/%40default/tasks?showCompleted=false&maxResults=50",
  ],
  youtube_subscriptions: [
    {},
    "GET https://www.googleapis.com/youtube/v3/subscriptions?part=snippet&mine=true&order=alphabetical&maxResults=50",
  ],
};

const graphql = "POST https://api.linear.app/graphql";
/** The variables; the document is checked against them apart. */
const linear: Readonly<Record<string, Expectation>> = {
  linear_viewer: [{}, graphql, { variables: {} }],
  linear_get_teams: [{}, graphql, { variables: {} }],
  linear_list_issues: [
    { team_key: "ENG" },
    graphql,
    { variables: { first: 25, filter: { team: { key: { eq: "ENG" } } } } },
  ],
  linear_get_issue: [{ id: "ENG-1" }, graphql, { variables: { id: "ENG-1" } }],
  linear_search_issues: [{ term: "crash" }, graphql, { variables: { term: "crash", first: 20 } }],
  linear_list_projects: [{}, graphql, { variables: { first: 50 } }],
  linear_create_issue: [
    { team_id: "t", title: "x", priority: 2, label_ids: ["l"] },
    graphql,
    { variables: { input: { teamId: "t", title: "x", priority: 2, labelIds: ["l"] } } },
  ],
  linear_update_issue: [
    { id: "ENG-1", state_id: "s" },
    graphql,
    { variables: { id: "ENG-1", input: { stateId: "s" } } },
  ],
  linear_add_comment: [
    { issue_id: "ENG-1", body: "b" },
    graphql,
    { variables: { input: { issueId: "ENG-1", body: "b" } } },
  ],
  linear_attach_url: [
    { issue_id: "ENG-1", url: "http://a" },
    graphql,
    { variables: { issueId: "ENG-1", url: "http://a" } },
  ],
  linear_create_project: [
    { name: "n", team_ids: ["t"] },
    graphql,
    { variables: { input: { name: "n", teamIds: ["t"] } } },
  ],
  linear_create_webhook: [
    { url: "https://a", team_id: "t" },
    graphql,
    { variables: { input: { url: "https://a", teamId: "t", resourceTypes: ["Issue"] } } },
  ],
};

export const httpExpectations = { ...open, ...withKey, ...withLogin, ...linear };

/** Header and value of the key each host is sent; the others are sent none. */
export const keyHeaders: Readonly<Record<string, readonly [string, string]>> = {
  "api.github.com": ["authorization", "Bearer GITHUB_TOKEN-value"],
  "api.semanticscholar.org": ["x-api-key", "SEMANTIC_SCHOLAR_API_KEY-value"],
  "web.archive.org/save": ["authorization", "LOW IA_S3_AUTH-value"],
  "generativelanguage.googleapis.com": ["x-goog-api-key", "GEMINI_API_KEY-value"],
  "api.stripe.com": ["authorization", "Bearer STRIPE_SECRET_KEY-value"],
  "api.notion.com": ["authorization", "Bearer NOTION_API_KEY-value"],
  "JIRA_HOST-value": ["authorization", "Basic JIRA_BASIC_AUTH-value"],
  "CONFLUENCE_HOST-value": ["authorization", "Basic CONFLUENCE_BASIC_AUTH-value"],
  "SALESFORCE_HOST-value": ["authorization", "Bearer SALESFORCE_ACCESS_TOKEN-value"],
  "api.box.com": ["authorization", "Bearer BOX_ACCESS_TOKEN-value"],
  "api.todoist.com": ["authorization", "Bearer TODOIST_API_TOKEN-value"],
  "slack.com": ["authorization", "Bearer SLACK_BOT_TOKEN-value"],
  "discord.com": ["authorization", "Bot DISCORD_TOKEN-value"],
  "api.cloudflare.com": ["authorization", "Bearer CLOUDFLARE_API_TOKEN-value"],
  "api.openai.com": ["authorization", "Bearer OPENAI_API_KEY-value"],
  "api.heygen.com": ["x-api-key", "HEYGEN_API_KEY-value"],
  "api.search.brave.com": ["x-subscription-token", "BRAVE_API_KEY-value"],
  "api.tavily.com": ["authorization", "Bearer TAVILY_API_KEY-value"],
  "api.linear.app": ["authorization", "LINEAR_API_KEY-value"],
  "www.googleapis.com/calendar": ["authorization", "Bearer google-token"],
  "www.googleapis.com/drive": ["authorization", "Bearer google-token"],
  "www.googleapis.com/youtube/v3/subscriptions": ["authorization", "Bearer google-token"],
  "people.googleapis.com": ["authorization", "Bearer google-token"],
  "gmail.googleapis.com": ["authorization", "Bearer google-token"],
  "sheets.googleapis.com": ["authorization", "Bearer google-token"],
  "tasks.googleapis.com": ["authorization", "Bearer google-token"],
};

/** Headers besides the key that an API insists on. */
export const ownHeaders: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  github_read_file: { accept: "application/vnd.github.raw+json" },
  notion_search: { "notion-version": "2022-06-28" },
  notion_create_page: { "notion-version": "2022-06-28" },
  notion_get_page_content: { "notion-version": "2022-06-28" },
  slack_post_message: { "content-type": "application/json; charset=utf-8" },
  wayback_save: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
  stripe_create_payment_intent: { "content-type": "application/x-www-form-urlencoded" },
  gmail_send_email: { "content-type": "message/rfc822" },
  yahoo_stock_quote: { "user-agent": "Mozilla/5.0" },
};

/** Arguments of the call, and those of the program it must become. */
export const programExpectations: Readonly<Record<string, readonly [JsonObject, readonly string[]]>> = {
  gws_calendar_events: [{}, ["calendar", "+agenda", "--days=7", "--format=json"]],
  gws_calendar_insert: [
    { summary: "s", start: "a", end: "b" },
    ["calendar", "+insert", "--calendar=primary", "--summary=s", "--start=a", "--end=b"],
  ],
  gws_chat_send: [{ space: "spaces/A", text: "-x" }, ["chat", "+send", "--space=spaces/A", "--text=-x"]],
  gws_docs_read: [{ document_id: "d" }, ["docs", "documents", "get", "--params", '{"documentId":"d"}']],
  gws_docs_write: [{ document_id: "d", text: "t" }, ["docs", "+write", "--document=d", "--text=t"]],
  gws_drive_list: [{}, ["drive", "files", "list", "--params", '{"pageSize":20}']],
  gws_gmail_search: [
    { query: "is:unread" },
    ["gmail", "users", "messages", "list", "--params", '{"userId":"me","q":"is:unread","maxResults":20}'],
  ],
  gws_gmail_triage: [{}, ["gmail", "+triage", "--max=20", "--format=json"]],
  gws_gmail_send: [
    { to: "a@b.c", subject: "s", body: "b" },
    ["gmail", "+send", "--to=a@b.c", "--subject=s", "--body=b"],
  ],
  gws_gmail_reply: [{ message_id: "1", body: "b" }, ["gmail", "+reply", "--message-id=1", "--body=b"]],
  gws_gmail_forward: [{ message_id: "1", to: "a@b.c" }, ["gmail", "+forward", "--message-id=1", "--to=a@b.c"]],
  gws_sheets_read: [{ spreadsheet_id: "s", range: "A1" }, ["sheets", "+read", "--spreadsheet=s", "--range=A1"]],
  gws_sheets_append: [
    { spreadsheet_id: "s", rows: [["a", 1]] },
    ["sheets", "+append", "--spreadsheet=s", '--json-values=[["a",1]]'],
  ],
  gws_tasks_list: [{}, ["tasks", "tasks", "list", "--params", '{"tasklist":"@default","maxResults":50}']],
  gws_tasks_create: [
    { title: "t" },
    ["tasks", "tasks", "insert", "--params", '{"tasklist":"@default"}', "--json", '{"title":"t"}'],
  ],
};
