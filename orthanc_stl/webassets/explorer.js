/*
 * Added to Orthanc Explorer by the plugin, behind the line that defines ORTHANC_STL and in a scope of its own. The rest
 * are modules, fetched when needed: this runs at each start of Orthanc Explorer, also where nobody looks at a model.
 */
const buttons = import(new URL('../stl/app/explorer/main.js', document.baseURI).href);
for (const page of ['study', 'series', 'instance']) {
  $(`#${page}`).live('pagebeforeshow', () => {
    const id = $.mobile.pageData && $.mobile.pageData.uuid;
    if (id) buttons.then(({ showButtons }) => showButtons(page, id, ORTHANC_STL));
  });
}
