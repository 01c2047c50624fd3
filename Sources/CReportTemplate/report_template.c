#include "CReportTemplate.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char page[] = {
#embed "report.html"
};

static const unsigned char style[] = {
#embed "report.css"
};

static const unsigned char script[] = {
#embed "report.js"
};

static const unsigned char events[] = {
#embed "events.html"
};

const unsigned char *auricle_report_page(void) { return page; }
size_t auricle_report_page_size(void) { return sizeof page; }

const unsigned char *auricle_report_style(void) { return style; }
size_t auricle_report_style_size(void) { return sizeof style; }

const unsigned char *auricle_report_script(void) { return script; }
size_t auricle_report_script_size(void) { return sizeof script; }

const unsigned char *auricle_report_events(void) { return events; }
size_t auricle_report_events_size(void) { return sizeof events; }
