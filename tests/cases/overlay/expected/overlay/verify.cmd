@echo off
setlocal EnableExtensions DisableDelayedExpansion
echo Ask the release desk.
endlocal
exit /b 1
