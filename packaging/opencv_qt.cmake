# Included after OpenCV's project(): link with the Qt of OpenCV's own wheel, whose libraries are in the folder QT_OF_WHEEL,
# by the old Debian's headers. That Qt is built in a namespace, so that no other Qt in the same process can meet it.
find_package(Qt5 REQUIRED COMPONENTS Core Gui Widgets Test Concurrent)
foreach(part Core Gui Widgets Test)
    file(GLOB library "${QT_OF_WHEEL}/libQt5${part}-*.so.5.15.*")
    if(NOT library)
        message(FATAL_ERROR "no libQt5${part} 5.15 in ${QT_OF_WHEEL}")
    endif()
    get_filename_component(name "${library}" NAME)
    set_target_properties(Qt5::${part} PROPERTIES
        IMPORTED_LOCATION_RELEASE "${library}" IMPORTED_LOCATION_NONE "${library}"
        IMPORTED_SONAME_RELEASE "${name}" IMPORTED_SONAME_NONE "${name}")
endforeach()
set_property(TARGET Qt5::Core APPEND PROPERTY INTERFACE_COMPILE_DEFINITIONS QT_NAMESPACE=QtOpenCVPython)
