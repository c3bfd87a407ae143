"""What others call the tables and columns of the contract, in English and German.

Words are written as `plain` writes names: without case, separators and umlauts. Earlier ones are
more telling.
"""

import re
from functools import cache

UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})

TABLES = {
    "telemetry": "telemetry usage metering meter metrics consumption events readings cdr verbrauch"
    " nutzung messwerte",
    "invoices": "invoices invoice billing bills bill rechnungen rechnung faktura fakturen"
    " belege sales umsatz erp sap accounting",
    "entitlements": "entitlements entitlement contracts contract subscriptions subscription"
    " licenses licences license licence vertraege vertrag lizenzen lizenz abos orders crm",
}

CUSTOMER = (
    "customerid customer customerno customernumber customernr custid custno cust accountid account"
    " accountno accountnumber acctid acct clientid client tenantid tenant orgid org organizationid"
    " organisationid organization debitornr debitor debitorid debitorennr debitorennummer"
    " kundennr kundennummer kunde kundenid kdnr kunnr soldto soldtoparty subscriberid subscriber"
    " buyerid partner partnerid mandant"
    " mandantid mandantennr"
)
PRODUCT = (
    "productid product productcode productno productnumber sku skuid itemid itemno itemcode item"
    " articleid articleno article artikelnr artikelnummer artikel artnr materialnr materialnummer"
    " material matnr produktid produktnr produkt produktcode partnumber partno offering serviceid"
    " servicecode service planid plan teilenr leistung"
)
INVOICE = (
    "invoiceid invoice invoiceno invoicenumber invoicenr invno invid billid billno billnumber"
    " rechnungsnr rechnungsnummer rechnungnr rechnung rechnr renr belegnr belegnummer beleg belegno"
    " fakturanr fakturanummer faktura vbeln belnr documentno documentnumber docno docid voucher"
)
UNIT = (
    "unit uom unitofmeasure units measure unitname metric einheit mengeneinheit meinheit me meins"
    " vrkme masseinheit"
)
QUANTITY = "quantity qty menge anzahl stueck stueckzahl stk seats users count volume fkimg"

COLUMNS = {
    "invoices": {
        "invoice_id": f"{INVOICE} number nummer nr id",
        "line_number": "linenumber lineno line linenr lineid lineitem lineitemno posnr pos position"
        " positionsnr positionsnummer posno zeile zeilennr posten itemnumber item",
        "invoice_date": "invoicedate billingdate billdate issuedon issuedate issued issuedat"
        " invoicedon documentdate docdate postingdate postedon rechnungsdatum belegdatum"
        " fakturadatum buchungsdatum rechdat fkdat bldat budat datum date"
        " created createdat createdon",
        "customer_id": CUSTOMER,
        "customer_name": "customername custname accountname clientname companyname company"
        " kundenname firmenname firma debitorname name1 name kunde customer organisation"
        " organization tenantname",
        "product_id": PRODUCT,
        "product_name": "productname productdescription itemname itemdescription skuname"
        " articlename bezeichnung artikelbezeichnung produktname produktbezeichnung artikeltext"
        " materialkurztext maktx arktx itemdesc desc description positionstext beschreibung"
        " text title",
        "quantity": QUANTITY,
        "unit_price": "unitprice priceperunit unitamount price netprice listprice unitcost rate"
        " preis einzelpreis stueckpreis einheitspreis epreis nettopreis vkpreis netpr ep",
        "currency": "currency currencycode currencyiso ccy curr cur waehrung waehrungscode"
        " waehrungsschluessel waers waerk whg",
        "term_months": "termmonths terminmonths term months contractterm subscriptionterm"
        " durationmonths duration laufzeit laufzeitmonate laufzeitinmonaten vertragslaufzeit"
        " dauer monate",
    },
    "entitlements": {
        "entitlement_id": "entitlementid entitlement contractid contract contractno contractnumber"
        " contractnr subscriptionid subscription subscriptionno licenseid licenceid license licence"
        " licenseno licensekey agreementid agreement grantid grant vertragsnr vertragsnummer"
        " vertrag vertragid lizenznr lizenznummer lizenz abonr abo orderid orderno order id",
        "amendment": "amendment amendmentno amendmentnumber amendmentid rev revision revisionno"
        " revno version versionno ver nachtrag nachtragsnr aenderung aenderungsnr changeno sequence"
        " seq",
        "invoice_id": INVOICE,
        "customer_id": CUSTOMER,
        "product_id": PRODUCT,
        "quantity": f"{QUANTITY} amount limit quota entitled included licensed allowance"
        " kontingent",
        "unit": UNIT,
        "metering": "metering meteringtype meteringmodel licensetype licencetype licensemodel"
        " billingmodel chargemodel entitlementtype type model lizenzart abrechnungsart art typ",
        "period": "period quotaperiod resetperiod billingperiod billingcycle cycle interval per"
        " periode abrechnungsperiode zeitraum",
        "starts_on": "startson startdate start starts startsat startday validfrom fromdate from"
        " effectivefrom effectivedate begindate begin begins gueltigab gueltigvon vertragsbeginn"
        " laufzeitbeginn beginn startdatum von ab guebg servicestart",
        "ends_on": "endson enddate end ends endsat endday validto validuntil validthrough todate"
        " to until through thru till effectiveto expirydate expirationdate expireson expires"
        " expiry expiration gueltigbis vertragsende laufzeitende ende enddatum endet bis gueen"
        " serviceend",
    },
    "telemetry": {
        "event_id": "eventid event requestid recordid readingid messageid msgid usageid uuid guid"
        " id idempotencykey traceid request lineitemid rowid satznr satzid ereignisid messungid"
        " key",
        "event_ts": "eventts eventtime eventtimestamp timestamp ts occurredat recordedat measuredat"
        " usagetime usagetimestamp usagestartdate datetime time at readat createdat starttime"
        " usagestarttime"
        " usagedate zeitstempel zeitpunkt messzeitpunkt zeit epoch epochms unixtime eventdate date"
        " datum",
        "customer_id": CUSTOMER,
        "deployment_id": "deploymentid deployment vmid vm vmname instanceid instance clusterid"
        " cluster hostid host hostname nodeid node serverid server bucketid bucket bucketname"
        " resourceid resource machineid machine deviceid device installationid installation siteid"
        " site environmentid environment envid env workspaceid workspace projectid project"
        " namespace databaseid database appid app podid pod systemid system anlage maschine rechner"
        " geraet standort",
        "product_id": PRODUCT,
        "infrastructure": "infrastructure infra cloudprovider cloud provider hosting platform"
        " plattform",
        "quantity": "quantity qty usagequantity usageamount usage used consumed consumption value"
        " amount metervalue reading menge verbrauch nutzung anzahl wert messwert vcpus vcpu cpus"
        " cores calls apicalls requests bytes bytesused usedbytes sizebytes storagebytes gb gib tb"
        " tib mb mib gbhours hours minutes seats users activeusers messages transactions count"
        " units volume",
        "unit": UNIT,
    },
}
"""Lake table → contract column → what else it may be called."""

UNITS = {
    "vcpu": "vCPU", "vcpus": "vCPU", "cpus": "vCPU", "cores": "core", "calls": "call",
    "requests": "request", "seats": "seat", "users": "user", "gb": "GB", "gib": "GiB", "tb": "TB",
    "tib": "TiB", "mb": "MB", "mib": "MiB", "hours": "hour", "minutes": "minute",
    "messages": "message", "transactions": "transaction", "bytes": "GiB",
}  # fmt: skip
"""What a column's name says of its unit; bytes are converted."""
INCLUSIVE = {"through", "thru", "bis", "until", "till", "enddate", "validthrough", "validuntil",
             "validto", "gueltigbis", "enddatum", "vertragsende"}  # fmt: skip
"""Ends that are mostly the last day of a term, and not the first after it."""
TESTS = {"istest", "test", "testdata", "isinternal", "internal", "dryrun", "deleted", "isdeleted",
         "storniert", "cancelled", "canceled"}  # fmt: skip
"""Flags of rows that are hardly the mart's."""


@cache
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name: `eventTime`, `event_time`, `EVENT-TIME` have the same two."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return tuple(re.findall(r"[^\W_]+", apart.lower().translate(UMLAUTS)))


@cache
def plain(name: str) -> str:
    """A name without case, separators and umlauts."""
    return "".join(words_of(name))


@cache
def synonyms(table: str, column: str) -> tuple[str, ...]:
    """What a contract column may be called, its own name first."""
    return (plain(column), *COLUMNS.get(table, {}).get(column, "").split())


def table_words(path: str) -> dict[str, float]:
    """How much the names in a path speak for each lake table: 0 to 1."""
    found = set(words_of(path)) | {plain(part) for part in path.split("/")}
    return {
        table: max((1 - index / 50 for index, word in enumerate(words.split()) if word in found),
                   default=0.0)
        for table, words in TABLES.items()
    }  # fmt: skip
