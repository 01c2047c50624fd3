#pragma once
#include <stddef.h>

// The parts of the HTML report, compiled into the binary so that an installed executable carries them wherever it is
// copied. UTF-8 text, not ended by a zero.

/// `report.html`: the page, with marks where the other parts and the data go.
const unsigned char *_Nonnull auricle_report_page(void);
size_t auricle_report_page_size(void);

/// `report.css`.
const unsigned char *_Nonnull auricle_report_style(void);
size_t auricle_report_style_size(void);

/// `report.js`.
const unsigned char *_Nonnull auricle_report_script(void);
size_t auricle_report_script_size(void);

/// `events.html`: the page of events, which has its own script, and marks where the style and the data go.
const unsigned char *_Nonnull auricle_report_events(void);
size_t auricle_report_events_size(void);
