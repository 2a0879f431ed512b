# Shows on a real Windows what Wine cannot: that a file which cbgen replaces keeps its access list, owner, attributes, creation time
# and alternate stream. It works in a folder of its own below the temporary folder and removes it.
#
#   powershell -NoProfile -ExecutionPolicy Bypass -File windows-proof.ps1 -Tests cbgen_windows.exe
#
# `kit/windows-build --tests` makes cbgen_windows.exe, the tests of the system calls, in target/windows/tests. Run it elevated once and
# as a plain user once. Exit code: 0 everything is kept, 1 something is not.
param([Parameter(Mandatory = $true)][string]$Tests)
$ErrorActionPreference = 'Stop'
$Tests = (Resolve-Path $Tests).Path
$folder = Join-Path ([IO.Path]::GetTempPath()) ('cbgen-proof-' + [Guid]::NewGuid().ToString('N'))
New-Item -ItemType Directory -Path $folder | Out-Null
$failed = $false
try {
    $target = Join-Path $folder 'web.config'
    [IO.File]::WriteAllText($target, 'old')
    [IO.File]::WriteAllText((Join-Path $folder 'new'), 'new')
    Set-Content -Path $target -Stream 'note' -Value 'kept'
    # A rule of its own that the folder does not give.
    $list = Get-Acl $target
    $rule = New-Object Security.AccessControl.FileSystemAccessRule('NETWORK SERVICE', 'Read', 'Allow')
    $list.AddAccessRule($rule)
    Set-Acl -Path $target -AclObject $list
    [IO.File]::SetCreationTimeUtc($target, [DateTime]::new(2001, 2, 3, 4, 5, 6, [DateTimeKind]::Utc))
    [IO.File]::SetAttributes($target, [IO.FileAttributes]::NotContentIndexed)
    $look = {
        $item = Get-Item $target
        [ordered]@{
            'access list and owner' = (Get-Acl $target).Sddl
            'creation time'         = $item.CreationTimeUtc.ToString('o')
            'attributes'            = $item.Attributes.ToString()
            'stream'                = (Get-Content -Path $target -Stream 'note' -ErrorAction SilentlyContinue)
        }
    }
    $before = & $look
    $env:CBGEN_PROOF = $folder
    & $Tests --exact 'tests::a_file_is_replaced_where_a_script_says' | Out-Null
    if ($LASTEXITCODE -ne 0) { throw 'the file was not replaced' }
    $after = & $look
    foreach ($name in $before.Keys) {
        $same = $before[$name] -eq $after[$name]
        if (-not $same) { $failed = $true }
        '{0,-22} {1}' -f $name, $(if ($same) { 'kept' } else { "LOST: $($before[$name]) is now $($after[$name])" })
    }
    $text = [IO.File]::ReadAllText($target)
    if ($text -ne 'new') { $failed = $true }
    '{0,-22} {1}' -f 'content', $(if ($text -eq 'new') { 'new' } else { 'OLD' })
}
finally {
    Remove-Item -Recurse -Force $folder
}
exit [int]$failed
